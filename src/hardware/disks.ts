// The modelled disks of nodes as the rig breaks and looks at them (rig/deployment.ts, Disks).

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { ContainerState, DiskCondition, Disks, DiskWrite } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';
import type { ModelledDisk } from './disk.ts';
import { fillVolume } from './nfs.ts';

/** What the rig looks at of a node that has one. */
export interface DiskOwner {
  readonly name: string;
  readonly storage: ModelledDisk;
  readonly state: ContainerState;
}

/** A condition is in force at once, whether the node runs or not. */
export const ALWAYS_THERE = { state: async () => 'running' as const };

export function createModelledDisks(options: {
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, DiskOwner>;
}): Disks {
  const { clock, nodes } = options;
  const conditions = createConditions<DiskCondition>({
    ...ALWAYS_THERE,
    apply: async (node, all) => {
      nodes.get(node)?.storage.become(all);
    },
  });
  const runningOf = (name: string): DiskOwner => {
    const node = nodes.get(name);
    if (node?.state === 'running') return node;
    throw new RigError('machine', `cannot look at the disk of ${name}: it does not run`);
  };
  const wait = async (ms: number): Promise<number> => {
    await clock.sleep(ms);
    return Math.round(ms);
  };
  const holding = (volume: string): readonly DiskOwner[] =>
    [...nodes.values()].filter(
      ({ state, storage }) => state === 'running' && storage.disk.subvolumes.has(volume),
    );
  return {
    set: conditions.set,
    inForce: (node) => conditions.of(node),
    write: async (name, bytes) => {
      const { storage } = runningOf(name);
      const outcome = wholeDiskOutcome(storage);
      return { outcome, tookMs: await wait(outcome === 'written' ? storage.bytesMs(bytes) : 1) };
    },
    fillVolume: async (volume) => {
      const found = holding(volume);
      if (found.length === 0) throw new RigError('not_found', `no node that runs has ${volume} on its disk`);
      for (const { storage } of found) fillVolume(storage.disk.subvolumes.get(volume), true);
    },
    emptyVolume: async (volume) => {
      for (const { storage } of holding(volume)) fillVolume(storage.disk.subvolumes.get(volume), false);
    },
    writeVolume: async (volume) => {
      await wait(1);
      return new Map(
        holding(volume).map(({ name, storage }) => [
          name,
          { outcome: volumeOutcome(storage, volume), tookMs: 1 },
        ]),
      );
    },
    missing: async () => undefined,
  };
}

function wholeDiskOutcome(storage: ModelledDisk): DiskWrite['outcome'] {
  if (storage.is('failing')) return 'failed';
  if (storage.is('read-only')) return 'read-only';
  return storage.is('full') ? 'disk-full' : 'written';
}

function volumeOutcome(storage: ModelledDisk, id: string): DiskWrite['outcome'] {
  const outcome = wholeDiskOutcome(storage);
  const { quotaBytes = null, usedBytes = 0 } = storage.disk.subvolumes.get(id) ?? {};
  return outcome === 'written' && quotaBytes !== null && usedBytes >= quotaBytes ? 'quota-full' : outcome;
}
