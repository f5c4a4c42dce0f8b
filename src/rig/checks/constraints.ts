// Whenever a volume gets a node, the node's labels satisfy its constraints, and
// it isn't one that is being drained.
//
// Assumes that a node's labels are what its keys in etcd said last, even if the
// node is gone by then, or the topology if it has never registered. While
// nodes/<name> and specs/<name> differ either may have been what the scheduler saw.

import { NODES_PREFIX, nameIn, SPECS_PREFIX } from '../../kv/keys.ts';
import { type Labels, satisfies } from '../../model/names.ts';
import { constrainableLabels, type Node, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { isOnItsWay, moveTaskOf, type Volume } from '../../model/volume.ts';
import type { Check, EtcdEvent } from '../history.ts';
import { hasGap } from './gaps.ts';
import { hits, outages } from './outages.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { describeStep, type VolumeStep, volumeSteps } from './volume-history.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('constraints');

/** An engine that has decided by then, by the work clock, may not have known; it may be slow while it, or etcd, is disturbed. */
const SEEN_WITHIN_MS = 200;

export const constraints: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them what nodes were like');
  const declared = new Map(run.topology.nodes.map((node) => [node.name, node.labels]));
  const registered = new Map<string, Node>();
  const specified = new Map<string, Labels>();
  /** Since when. */
  const draining = new Map<string, number>();
  const steps = new Map(volumeSteps(run).map((step) => [step.event, step]));
  const faults = outages(run);
  /** How long the writer of the step could have known that the node is to be drained. */
  const knownMs = ({ event, after }: VolumeStep, drainedMs: number): number => {
    const writer = after?.control.writer.node ?? '';
    const slow = faults.filter((outage) => outage.container === 'etcd' || hits(outage, writer, 'engine'));
    return workClockOf(run).workedMs({ fromMs: drainedMs, toMs: event.atMs }, slow);
  };
  let judged = 0;
  let drains = 0;
  for (const event of run.etcd) {
    learn(event, registered, specified);
    if (learnDraining(event, draining)) drains += 1;
    const step = steps.get(event);
    const node = step === undefined ? null : placementOf(step);
    if (step === undefined || node === null) continue;
    const drainedMs = draining.get(node);
    if (drainedMs !== undefined && arrives(step, node) && knownMs(step, drainedMs) > SEEN_WITHIN_MS) {
      return invalid(`volume ${step.id} was put on ${node}, which is being drained`, [
        `${seconds(drainedMs)}: ${node} is to be drained`,
        `${position(event)}: ${describeStep(step)}`,
      ]);
    }
    const wanted = step.after?.requested.constraints ?? {};
    if (Object.keys(wanted).length === 0) continue;
    judged += 1;
    const kind = registered.get(node);
    const known = [kind?.labels, specified.get(node)]
      .filter((labels) => labels !== undefined)
      .map((labels) => (kind === undefined ? labels : constrainableLabels(labels, kind)));
    const candidates = known.length > 0 ? known : [declared.get(node) ?? {}];
    if (candidates.some((labels) => satisfies(labels, wanted))) continue;
    return invalid(`volume ${step.id} was put on ${node}, which doesn't satisfy its constraints`, [
      `${position(event)}: ${describeStep(step)}`,
      `the volume asks for ${JSON.stringify(wanted)}`,
      `${node} has ${candidates.map((labels) => JSON.stringify(labels)).join(' or ')}`,
    ]);
  }
  if (judged === 0 && drains === 0) {
    return unknown('no volume with constraints was ever given a node, and no node was drained');
  }
  return valid(
    `${count(judged, 'placement')} of volumes with constraints, each satisfied; none on a drained node`,
  );
};

/**
 * The node that somebody decides on: the one that the volume is given, that it is sent to (the handover at
 * the end of the move decides nothing more), or that has it when its agent makes other constraints true.
 */
function placementOf({ before, after }: VolumeStep): string | null {
  if (after === undefined) return null;
  if (isOnItsWay(after)) {
    const isNew = before === undefined || !isOnItsWay(before) || targetOf(before) !== targetOf(after);
    return isNew ? targetOf(after) : null;
  }
  if (before?.node !== after.node) return before?.state === 'moving' ? null : after.node;
  const granted = JSON.stringify(after.actual?.constraints);
  const isGranted = after.state === 'ready' && granted !== JSON.stringify(before?.actual?.constraints);
  return isGranted ? after.node : null;
}

/** As opposed to staying there with other constraints, and to a clone, which is made where its parent is. */
const arrives = ({ before, after }: VolumeStep, node: string): boolean =>
  after?.state !== 'cloning' &&
  before?.node !== node &&
  (after?.node === node || (after !== undefined && isOnItsWay(after)));

const targetOf = (volume: Volume): string | null => moveTaskOf(volume)?.node ?? null;

/** True when a drain begins. */
function learnDraining(event: EtcdEvent, draining: Map<string, number>): boolean {
  if (!event.key.startsWith(SPECS_PREFIX)) return false;
  const node = nameIn(SPECS_PREFIX, event.key);
  try {
    const spec = parseStored(nodeSpecSchema, { key: event.key, value: event.value ?? '' });
    if (spec.draining && draining.has(node)) return false;
    if (spec.draining) draining.set(node, event.atMs);
    else draining.delete(node);
    return spec.draining;
  } catch {
    draining.delete(node);
    return false;
  }
}

function learn(event: EtcdEvent, registered: Map<string, Node>, specified: Map<string, Labels>): void {
  if (event.kind === 'delete') return;
  const stored = { key: event.key, value: event.value ?? '' };
  try {
    if (event.key.startsWith(NODES_PREFIX)) {
      registered.set(nameIn(NODES_PREFIX, event.key), parseStored(nodeSchema, stored));
    } else if (event.key.startsWith(SPECS_PREFIX)) {
      specified.set(nameIn(SPECS_PREFIX, event.key), parseStored(nodeSpecSchema, stored).labels);
    }
  } catch {
    // A malformed value teaches nothing; what was known before still holds.
  }
}
