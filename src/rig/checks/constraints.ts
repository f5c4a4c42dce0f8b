// Whenever a volume gets a node, the node's labels satisfy its constraints.
//
// Assumes that a node's labels are what its keys in etcd said last, even if the
// node is gone by then, or the topology if it has never registered. While
// nodes/<name> and specs/<name> differ either may have been what the scheduler saw.

import { NODES_PREFIX, nameIn, SPECS_PREFIX } from '../../kv/keys.ts';
import { type Labels, satisfies } from '../../model/names.ts';
import { nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import type { Check, EtcdEvent } from '../history.ts';
import { answersOf, count, position } from './verdict.ts';
import { describeStep, type VolumeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('constraints');

export const constraints: Check = (run) => {
  const declared = new Map(run.topology.nodes.map((node) => [node.name, node.labels]));
  const registered = new Map<string, Labels>();
  const specified = new Map<string, Labels>();
  const steps = new Map(volumeSteps(run).map((step) => [step.event, step]));
  let judged = 0;
  for (const event of run.etcd) {
    learn(event, registered, specified);
    const step = steps.get(event);
    const node = step?.after?.node;
    if (step === undefined || node == null || !isPlacement(step)) continue;
    const wanted = step.after?.requested.constraints ?? {};
    if (Object.keys(wanted).length === 0) continue;
    judged += 1;
    const known = [registered.get(node), specified.get(node)].filter((labels) => labels !== undefined);
    const candidates = known.length > 0 ? known : [declared.get(node) ?? {}];
    if (candidates.some((labels) => satisfies(labels, wanted))) continue;
    return invalid(`volume ${step.id} was put on ${node}, which doesn't satisfy its constraints`, [
      `${position(event)}: ${describeStep(step)}`,
      `the volume asks for ${JSON.stringify(wanted)}`,
      `${node} has ${candidates.map((labels) => JSON.stringify(labels)).join(' or ')}`,
    ]);
  }
  if (judged === 0) return unknown('no volume with constraints was ever given a node');
  return valid(`${count(judged, 'placement')} of volumes with constraints, each satisfied`);
};

/** The volume reaches a node, or its agent makes other constraints true on the node that it has. */
function isPlacement({ before, after }: VolumeStep): boolean {
  if (before?.node !== after?.node) return true;
  const granted = JSON.stringify(after?.actual?.constraints);
  return after?.state === 'ready' && granted !== JSON.stringify(before?.actual?.constraints);
}

function learn(event: EtcdEvent, registered: Map<string, Labels>, specified: Map<string, Labels>): void {
  if (event.kind === 'delete') return;
  const stored = { key: event.key, value: event.value ?? '' };
  try {
    if (event.key.startsWith(NODES_PREFIX)) {
      registered.set(nameIn(NODES_PREFIX, event.key), parseStored(nodeSchema, stored).labels);
    } else if (event.key.startsWith(SPECS_PREFIX)) {
      specified.set(nameIn(SPECS_PREFIX, event.key), parseStored(nodeSpecSchema, stored).labels);
    }
  } catch {
    // A malformed value teaches nothing; what was known before still holds.
  }
}
