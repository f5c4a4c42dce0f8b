// The model of a node's disk, for the simulator, process mode and unit tests.
// The disk is an object of its own that outlives any daemon using it: hand it to
// the next incarnation, and what the last one did is still there.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { checkedVolumeId } from '../model/names.ts';
import { checkedQuota } from './checked.ts';
import { checkedBinding } from './disk-binding.ts';
import type { DiskBinding, Storage } from './storage.ts';
import { createTrashWatch } from './trash.ts';

export interface MemorySubvolume {
  quotaBytes: number | null;
  /** Tests set it to stand for what clients have written. */
  usedBytes: number;
}

/** Everything that survives a crash of the node. */
export interface MemoryDisk {
  readonly totalBytes: number;
  readonly subvolumes: Map<string, MemorySubvolume>;
  /** Oldest first; `trashedAtMs` is wall-clock time. */
  trash: { readonly id: string; readonly trashedAtMs: number; readonly usedBytes: number }[];
  binding: DiskBinding | null;
}

export function createMemoryDisk(options: { readonly totalBytes: number }): MemoryDisk {
  return { totalBytes: options.totalBytes, subvolumes: new Map(), trash: [], binding: null };
}

export interface MemoryStorage extends Storage {
  readonly disk: MemoryDisk;
  /** Makes the next call of this name throw `error` (default: `io`) without doing anything. */
  failNext(call: keyof Storage, error?: RigError): void;
}

/**
 * Works on `disk`, or on a new one of `totalBytes` (default 64 GiB). With
 * `latencyMs`, half of each call's time passes before its effect and half after.
 */
export function createMemoryStorage(options: {
  readonly clock: Clock;
  readonly disk?: MemoryDisk;
  readonly totalBytes?: number;
  readonly latencyMs?: (call: keyof Storage) => number;
}): MemoryStorage {
  const { clock, latencyMs } = options;
  const disk = options.disk ?? createMemoryDisk({ totalBytes: options.totalBytes ?? 64 * 1024 ** 3 });
  const watch = createTrashWatch<MemoryDisk['trash'][number]>(clock);
  const failures: { readonly call: keyof Storage; readonly error: RigError }[] = [];

  const perform = async <T>(call: keyof Storage, effect: () => T): Promise<T> => {
    const totalMs = latencyMs?.(call) ?? 0;
    if (totalMs > 0) await clock.sleep(totalMs / 2);
    const index = failures.findIndex((failure) => failure.call === call);
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
    const result = effect();
    if (totalMs > 0) await clock.sleep(totalMs / 2);
    return result;
  };

  return {
    disk,
    failNext: (call, error = new RigError('io', `${call} failed on demand`)) => {
      failures.push({ call, error });
    },
    space: () => perform('space', () => spaceOf(disk)),
    list: () =>
      perform('list', () =>
        [...disk.subvolumes]
          .map(([id, { quotaBytes, usedBytes }]) => ({ id, quotaBytes, usedBytes }))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    find: (id) =>
      perform('find', () => {
        const subvolume = disk.subvolumes.get(checkedVolumeId(id));
        return subvolume === undefined ? undefined : { id, ...subvolume };
      }),
    create: ({ id, quotaBytes }) =>
      perform('create', () => {
        const usedBytes = disk.subvolumes.get(checkedVolumeId(id))?.usedBytes ?? 0;
        disk.subvolumes.set(id, { quotaBytes: checkedQuota(quotaBytes), usedBytes });
      }),
    setQuota: ({ id, quotaBytes }) =>
      perform('setQuota', () => {
        const subvolume = disk.subvolumes.get(checkedVolumeId(id));
        const checkedBytes = checkedQuota(quotaBytes);
        if (subvolume === undefined) throw new RigError('not_found', `there is no subvolume ${id}`);
        subvolume.quotaBytes = checkedBytes;
      }),
    trash: (id) =>
      perform('trash', () => {
        const subvolume = disk.subvolumes.get(checkedVolumeId(id));
        if (subvolume === undefined) return;
        disk.subvolumes.delete(id);
        disk.trash.push({ id, trashedAtMs: clock.nowMs(), usedBytes: subvolume.usedBytes });
      }),
    purgeTrash: ({ olderThanMs }) =>
      perform('purgeTrash', () => {
        const entries = disk.trash.map((item) => ({ key: item, trashedAtMs: item.trashedAtMs }));
        const due = new Set(watch.due(entries, { olderThanMs }));
        disk.trash = disk.trash.filter((item) => !due.has(item));
        return due.size;
      }),
    binding: () => perform('binding', () => disk.binding),
    bind: (binding) =>
      perform('bind', () => {
        disk.binding = checkedBinding(binding);
      }),
  };
}

function spaceOf(disk: MemoryDisk): { totalBytes: number; availableBytes: number } {
  const kept = [...disk.subvolumes.values(), ...disk.trash];
  const usedBytes = kept.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return { totalBytes: disk.totalBytes, availableBytes: Math.max(0, disk.totalBytes - usedBytes) };
}
