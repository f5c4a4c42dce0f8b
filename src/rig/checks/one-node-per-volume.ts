// A volume is never on two nodes, and no node makes or keeps one that is assigned elsewhere.
//
// Assumes that the final inventories were collected after the cluster had come
// to rest. A volume that is still moving then may be on two nodes for a moment
// and is left out. Nodes that a fault took down for good can't be looked into.
// What went before is judged from agents' logs and every inventory, trash
// included, with the assumptions of residence.ts.

import { illegality } from '../../model/volume.ts';
import type { Check, Inventory, RecordedRun, Verdict } from '../history.ts';
import { FINAL_LABEL, finalState, finalVolumes, inventoriesOf, uncollectedNodes } from './final.ts';
import { firstStray } from './residence.ts';
import { answersOf, count, position } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('one-node-per-volume');

export const oneNodePerVolume: Check = (run) => {
  const inventories = inventoriesOf(run, FINAL_LABEL);
  const found = twoPlaces(run, inventories) ?? movedInPlace(run) ?? strayed(run);
  if (found !== undefined) return found;
  const volumes = [...inventories.values()].reduce((sum, inventory) => sum + inventory.volumes.length, 0);
  const missing = uncollectedNodes(run);
  if (missing.length > 0) return unknown(`no final inventory of ${missing.join(', ')}`);
  if (volumes === 0) return unknown('no node had a volume at the end');
  if (inventories.size < 2)
    return unknown('only one node was looked into, so a second copy could not be seen');
  return valid(`${count(volumes, 'volume')} on ${count(inventories.size, 'node')}, each on one`);
};

function twoPlaces(run: RecordedRun, inventories: ReadonlyMap<string, Inventory>): Verdict | undefined {
  const state = finalState(run);
  const volumes = state === undefined ? undefined : finalVolumes(state);
  for (const kind of ['volumes', 'exports'] as const) {
    const places = new Map<string, string>();
    for (const [node, inventory] of inventories) {
      for (const { id } of inventory[kind]) {
        const other = places.get(id);
        places.set(id, node);
        if (other === undefined || volumes?.get(id)?.state === 'moving') continue;
        const what = kind === 'volumes' ? 'a subvolume' : 'an export';
        return invalid(`volume ${id} is on two nodes`, [
          `at the end ${other} has ${what} ${id}`,
          `at the end ${node} has ${what} ${id}`,
          `etcd says: ${volumes?.get(id)?.node ?? 'no such volume'}`,
        ]);
      }
    }
  }
  return undefined;
}

/** A volume that exists on one node's disk may not be given to another by a stroke of the pen. */
function movedInPlace(run: RecordedRun): Verdict | undefined {
  for (const step of volumeSteps(run)) {
    if (step.before === undefined || step.after === undefined) continue;
    if (step.before.node === step.after.node || illegality(step.before, step.after) === undefined) continue;
    return invalid(`volume ${step.id} changed its node while it was on one`, [
      `${position(step.event)}: ${describeStep(step)}`,
    ]);
  }
  return undefined;
}

function strayed(run: RecordedRun): Verdict | undefined {
  const stray = firstStray(run);
  return stray === undefined ? undefined : invalid(stray.reason, stray.lines);
}
