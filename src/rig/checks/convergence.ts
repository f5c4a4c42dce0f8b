// At the end disk = exports = etcd on every node that could be looked into, with no orphan.
//
// Assumes that the run waited for the cluster to come to rest before it
// collected the final inventories and read etcd: what differs on a node within
// a lease's life and a reconcile interval (by the work clock) after a fault on it or
// on etcd says nothing. Volumes that are not ready by then are not compared, but they
// account for what is on their node's disk; one that is still moving, for what is on any.

import { gibToBytes } from '../../base/units.ts';
import { sameRules } from '../../model/export.ts';
import type { Volume } from '../../model/volume.ts';
import type { Check, Inventory, RecordedRun, Verdict } from '../history.ts';
import { sameClients, text } from './exports.ts';
import { FINAL_LABEL, finalState, finalVolumes, inventoriesOf, uncollectedNodes } from './final.ts';
import { disturbed, hits, outages } from './outages.ts';
import { answersOf, count } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('convergence');

export const convergence: Check = (run) => {
  const state = finalState(run);
  if (state === undefined) return unknown('the final state of etcd was not read');
  const inventories = inventoriesOf(run, FINAL_LABEL);
  const volumes = finalVolumes(state);
  let compared = 0;
  let unsettled: Verdict | undefined;
  for (const [node, inventory] of inventories) {
    const here = [...volumes.values()].filter((volume) => volume.node === node);
    const moving = [...volumes.values()].filter((volume) => volume.state === 'moving');
    const lines = [
      ...here.filter((volume) => volume.state === 'ready').flatMap((volume) => gaps(volume, inventory)),
      ...orphans([...here, ...moving], moving, inventory),
    ].map((line) => `${node}: ${line}`);
    if (lines.length > 0 && isUnsettled(run, node, state.atMs)) {
      unsettled ??= unknown(`${node} was looked into before it could come to rest after a fault`, lines);
    } else if (lines.length > 0)
      return invalid(`${node} does not have what etcd says (revision ${state.revision})`, lines);
    compared += here.filter((volume) => volume.state === 'ready').length;
  }
  if (unsettled !== undefined) return unsettled;
  const missing = uncollectedNodes(run);
  if (missing.length > 0) return unknown(`no final inventory of ${missing.join(', ')}`);
  if (inventories.size === 0) return unknown('no node was looked into');
  // Without any volume ever, there was nothing that could have been left behind, either.
  if (volumeSteps(run).length === 0) return unknown('the run had no volume');
  if (compared === 0 && volumes.size > 0)
    return unknown(`none of ${count(volumes.size, 'volume')} was ready on a node that was looked into`);
  return valid(
    `${count(compared, 'ready volume')} on ${count(inventories.size, 'node')} as etcd says; no orphans`,
  );
};

function isUnsettled(run: RecordedRun, node: string, atMs: number): boolean {
  const { leaseTtlSeconds, reconcileIntervalMs } = run.topology.settings;
  const settlingMs = leaseTtlSeconds * 1000 + reconcileIntervalMs;
  const relevant = outages(run).filter(
    (outage) => outage.fromMs > 0 && (outage.container === 'etcd' || hits(outage, node, 'agent')),
  );
  return disturbed({ fromMs: workClockOf(run).before(atMs, settlingMs), toMs: atMs }, relevant);
}

/** What a ready volume lacks on its node. */
function gaps(volume: Volume, inventory: Inventory): readonly string[] {
  const lines: string[] = [];
  const subvolume = inventory.volumes.find((candidate) => candidate.id === volume.id);
  const quotaBytes = gibToBytes(volume.requested.reserved_size);
  if (subvolume === undefined) {
    lines.push(`${volume.id} is ready, but there is no subvolume`);
  } else if (subvolume.quotaBytes !== quotaBytes) {
    lines.push(`${volume.id} has a quota of ${subvolume.quotaBytes} bytes, requested are ${quotaBytes}`);
  }
  if (volume.actual?.reserved_size !== volume.requested.reserved_size) {
    lines.push(
      `${volume.id} is ready with ${volume.actual?.reserved_size ?? 'no'} GiB, requested are ${volume.requested.reserved_size}`,
    );
  }
  if (!sameRules(volume.actual?.exports ?? [], volume.exports)) {
    lines.push(
      `${volume.id}: etcd has ${text(volume.actual?.exports ?? [])} applied, wanted ${text(volume.exports)}`,
    );
  }
  const served = inventory.exports.find((candidate) => candidate.id === volume.id)?.clients ?? [];
  if (!sameClients(served, volume.exports)) {
    lines.push(
      `${volume.id} is exported to ${text(served) || 'nobody'}, wanted ${text(volume.exports) || 'nobody'}`,
    );
  }
  return lines;
}

/** What is on the node though etcd doesn't place it there. Copies are there for moves alone. */
function orphans(
  here: readonly Volume[],
  moving: readonly Volume[],
  inventory: Inventory,
): readonly string[] {
  const known = new Set(here.map((volume) => volume.id));
  const onTheMove = new Set(moving.map((volume) => volume.id));
  const copies = (inventory.copies ?? []).filter((copy) => !onTheMove.has(copy.split('.')[0] ?? copy));
  return [
    ...copies.map((copy) => `copy ${copy} is left of a move that has ended`),
    ...inventory.volumes.filter(({ id }) => !known.has(id)).map(({ id }) => `subvolume ${id} is an orphan`),
    ...inventory.exports.filter(({ id }) => !known.has(id)).map(({ id }) => `export ${id} is an orphan`),
  ];
}
