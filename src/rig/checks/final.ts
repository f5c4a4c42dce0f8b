// What was collected when all was over: disks, exports, and etcd.

import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Volume } from '../../model/volume.ts';
import type { FinalStateEvent, Inventory, RecordedRun } from '../history.ts';
import { downAtEnd } from './outages.ts';
import { parseVolume } from './volume-history.ts';

export const FINAL_LABEL = 'final';

/** The inventories with this label, by node; the last one of a node counts. */
export function inventoriesOf(run: RecordedRun, label: string): ReadonlyMap<string, Inventory> {
  const known = collected.get(run.history);
  const found = known?.get(label);
  if (found !== undefined) return found;
  const byNode = new Map<string, Inventory>();
  for (const event of run.history) {
    if (event.type === 'inventory' && event.label === label) byNode.set(event.node, event.inventory);
  }
  collected.set(run.history, (known ?? new Map<string, ReadonlyMap<string, Inventory>>()).set(label, byNode));
  return byNode;
}

/** etcd at the end; undefined when the run didn't get so far. */
export const finalState = (run: RecordedRun): FinalStateEvent | undefined =>
  run.history.findLast((event) => event.type === 'final-state');

// Asked for once for each file, of which there may be thousands.
const parsed = new WeakMap<FinalStateEvent, ReadonlyMap<string, Volume>>();
const collected = new WeakMap<RecordedRun['history'], Map<string, ReadonlyMap<string, Inventory>>>();

/** The volumes of the final state; malformed ones are left out (legal-transitions reports them). */
export function finalVolumes(state: FinalStateEvent): ReadonlyMap<string, Volume> {
  const known = parsed.get(state);
  if (known !== undefined) return known;
  const volumes = new Map<string, Volume>();
  for (const [key, value] of Object.entries(state.keys)) {
    if (!key.startsWith(VOLUMES_PREFIX)) continue;
    const volume = parseVolume({ key, value });
    if (typeof volume !== 'string') volumes.set(nameIn(VOLUMES_PREFIX, key), volume);
  }
  parsed.set(state, volumes);
  return volumes;
}

/** Nodes that nothing was collected from although no fault had them down. */
export const uncollectedNodes = (run: RecordedRun): readonly string[] => {
  const collected = inventoriesOf(run, FINAL_LABEL);
  return run.topology.nodes
    .map((node) => node.name)
    .filter((name) => !collected.has(name) && downAtEnd(run, name) === undefined);
};
