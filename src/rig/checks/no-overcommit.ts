// On no node, at no revision, is more reserved than the node has.
//
// Assumes that a volume takes what reservationsOf() of model/volume.ts says, and
// that a node's capacity is what specs/<node> says, or the topology before
// that key exists. Who lowers it can't know what is reserved until it is lowered: where that
// is more, nothing is wrong if the next change of the spec puts it back.

import { bytesToGib, gibToBytes } from '../../base/units.ts';
import { nameIn, SPECS_PREFIX } from '../../kv/keys.ts';
import { nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { reservationsOf } from '../../model/volume.ts';
import type { Check, EtcdEvent } from '../history.ts';
import { hasGap } from './gaps.ts';
import { answersOf, count, position } from './verdict.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('no-overcommit');

export const noOvercommit: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them what was reserved');
  const capacities = new Map(run.topology.nodes.map((node) => [node.name, node.capacityGib]));
  const reservations = new Map<string, Reserved>();
  const steps = new Map(volumeSteps(run).map((step) => [step.event, step]));
  const specs = Map.groupBy(
    run.etcd.flatMap((event) => capacityIn(event) ?? []),
    ({ node }) => node,
  );
  let placed = 0;
  let touched = new Set<string>();
  for (const [index, event] of run.etcd.entries()) {
    const spec = capacityIn(event);
    if (spec !== undefined) {
      const { node, capacityGib, revision } = spec;
      const beforeGib = capacities.get(node) ?? capacityGib;
      const next = specs.get(node)?.find((later) => later.revision > revision);
      const isTooLittle = gibToBytes(capacityGib) < (reservations.get(node)?.sumBytes ?? 0);
      const isPutBack = isTooLittle && next !== undefined && next.capacityGib >= beforeGib;
      capacities.set(node, isPutBack ? beforeGib : capacityGib);
      touched.add(node);
    }
    const step = steps.get(event);
    if (step !== undefined) {
      for (const node of account(reservations, step)) touched.add(node);
      if (step.event.kind === 'put' && step.after?.node != null) placed += 1;
    }
    // Events of one transaction become true together: judge after the last of them.
    if (run.etcd[index + 1]?.revision === event.revision) continue;
    for (const node of touched) {
      const { sumBytes, volumes } = reservations.get(node) ?? nothing();
      const capacityGib = capacities.get(node) ?? 0;
      if (sumBytes <= gibToBytes(capacityGib)) continue;
      return invalid(`${node} has ${capacityGib} GiB, and ${bytesToGib(sumBytes)} GiB are reserved on it`, [
        ...(step === undefined ? [] : [`${position(event)}: volume ${step.id} is written`]),
        ...[...volumes]
          .sort(([, a], [, b]) => b - a)
          .map(([id, bytes]) => `${id} reserves ${bytesToGib(bytes)} GiB on ${node}`),
      ]);
    }
    touched = new Set();
  }
  if (placed === 0) return unknown('no volume was ever given a node');
  return valid(`reservations stayed within capacity over ${count(placed, 'write')} of placed volumes`);
};

/** On one node. Whole bytes, so that their sum doesn't drift. */
interface Reserved {
  sumBytes: number;
  readonly volumes: Map<string, number>;
}

const nothing = (): Reserved => ({ sumBytes: 0, volumes: new Map() });

/** Moves the volume's reservations; answers with the nodes whose sums changed. */
function account(reservations: Map<string, Reserved>, step: VolumeStep): readonly string[] {
  const left = step.before === undefined ? [] : reservationsOf(step.before);
  const reached = step.after === undefined ? [] : reservationsOf(step.after);
  const set = (node: string, bytes: number | undefined): void => {
    const reserved = reservations.get(node) ?? nothing();
    reserved.sumBytes += (bytes ?? 0) - (reserved.volumes.get(step.id) ?? 0);
    if (bytes === undefined) reserved.volumes.delete(step.id);
    else reserved.volumes.set(step.id, bytes);
    reservations.set(node, reserved);
  };
  for (const { node } of left) set(node, undefined);
  for (const { node, bytes } of reached) set(node, bytes);
  return [...left, ...reached].map(({ node }) => node);
}

interface Capacity {
  readonly node: string;
  readonly capacityGib: number;
  readonly revision: number;
}

/** The capacity that an event gives a node, if it does. */
function capacityIn(event: EtcdEvent): Capacity | undefined {
  if (!event.key.startsWith(SPECS_PREFIX) || event.kind === 'delete') return undefined;
  try {
    const spec = parseStored(nodeSpecSchema, { key: event.key, value: event.value ?? '' });
    return { node: nameIn(SPECS_PREFIX, event.key), capacityGib: spec.capacity, revision: event.revision };
  } catch {
    return undefined;
  }
}
