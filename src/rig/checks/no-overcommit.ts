// On no node, at no revision, is more reserved than the node has.
//
// Assumes that a volume takes reservedBytes() of model/volume.ts on its node, and
// that a node's capacity is what specs/<node> says, or the topology before
// that key exists.

import { bytesToGib, gibToBytes } from '../../base/units.ts';
import { nameIn, SPECS_PREFIX } from '../../kv/keys.ts';
import { nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { reservedBytes } from '../../model/volume.ts';
import type { Check, EtcdEvent } from '../history.ts';
import { answersOf, count, position } from './verdict.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('no-overcommit');

export const noOvercommit: Check = (run) => {
  const capacities = new Map(run.topology.nodes.map((node) => [node.name, node.capacityGib]));
  const reservations = new Map<string, Map<string, number>>();
  const steps = new Map(volumeSteps(run).map((step) => [step.event, step]));
  let placed = 0;
  let touched = new Set<string>();
  for (const [index, event] of run.etcd.entries()) {
    const spec = capacityIn(event);
    if (spec !== undefined) {
      capacities.set(spec.node, spec.capacityGib);
      touched.add(spec.node);
    }
    const step = steps.get(event);
    if (step !== undefined) {
      for (const node of account(reservations, step)) touched.add(node);
      if (step.event.kind === 'put' && step.after?.node != null) placed += 1;
    }
    // Events of one transaction become true together: judge after the last of them.
    if (run.etcd[index + 1]?.revision === event.revision) continue;
    for (const node of touched) {
      const volumes = reservations.get(node) ?? new Map<string, number>();
      const sumBytes = [...volumes.values()].reduce((sum, bytes) => sum + bytes, 0);
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

/** Moves the volume's reservation; answers with the nodes whose sums changed. */
function account(reservations: Map<string, Map<string, number>>, step: VolumeStep): readonly string[] {
  const left = step.before?.node ?? undefined;
  const reached = step.after?.node ?? undefined;
  if (left !== undefined) reservations.get(left)?.delete(step.id);
  if (reached !== undefined && step.after !== undefined) {
    const volumes = reservations.get(reached) ?? new Map<string, number>();
    reservations.set(reached, volumes.set(step.id, reservedBytes(step.after)));
  }
  return [left, reached].filter((node) => node !== undefined);
}

/** The capacity that an event gives a node, if it does. */
function capacityIn(event: EtcdEvent): { readonly node: string; readonly capacityGib: number } | undefined {
  if (!event.key.startsWith(SPECS_PREFIX) || event.kind === 'delete') return undefined;
  try {
    const spec = parseStored(nodeSpecSchema, { key: event.key, value: event.value ?? '' });
    return { node: nameIn(SPECS_PREFIX, event.key), capacityGib: spec.capacity };
  } catch {
    return undefined;
  }
}
