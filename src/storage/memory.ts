// The model of a node's disk, for the simulator, process mode and unit tests.
// The disk is an object of its own that outlives any daemon using it: hand it to
// the next incarnation, and what the last one did is still there.

import { abortError, type Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { checkedVolumeId } from '../model/names.ts';
import type { DiskHealth } from '../model/node.ts';
import { checkedCompression, checkedQuota } from './checked.ts';
import { checkedBinding } from './disk-binding.ts';
import { copyOf, emptyContent, type MemoryContent, recompress } from './memory-content.ts';
import { createMemoryCopies, type MemoryCopy } from './memory-copies.ts';
import { createPerform } from './memory-perform.ts';
import type { DiskBinding, Storage, Subvolume } from './storage.ts';
import { createTrashWatch } from './trash.ts';

export interface MemorySubvolume extends MemoryContent {
  quotaBytes: number | null;
}

/** Everything that survives a crash of the node. */
export interface MemoryDisk {
  readonly totalBytes: number;
  readonly subvolumes: Map<string, MemorySubvolume>;
  /** Complete ones and others, by `<id>.<name>`. */
  readonly copies: Map<string, MemoryCopy>;
  /** Oldest first; `trashedAtMs` is wall-clock time. */
  trash: { readonly id: string; readonly trashedAtMs: number; readonly usedBytes: number }[];
  binding: DiskBinding | null;
  /** Tests set it. A `read-only` disk refuses whatever would write to it. */
  health: DiskHealth;
}

export function createMemoryDisk(options: { readonly totalBytes: number }): MemoryDisk {
  return {
    totalBytes: options.totalBytes,
    subvolumes: new Map(),
    copies: new Map(),
    trash: [],
    binding: null,
    health: { state: 'ok', reason: null },
  };
}

export interface MemoryStorage extends Storage {
  readonly disk: MemoryDisk;
  /** Makes the next call of this name throw `error` (default: `io`) without doing anything. */
  failNext(call: keyof Storage, error?: RigError): void;
}

/**
 * Works on `disk`, or on a new one of `totalBytes` (default 64 GiB). With `latencyMs`, half of each call's time
 * passes before its effect and half after; of one that has none, but reads, all of it before.
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
  const { perform, failNext } = createPerform({ clock, disk, latencyMs });
  const copies = createMemoryCopies({ volumes: disk.subvolumes, copies: disk.copies, perform });
  const volume = (id: string): MemorySubvolume => {
    const found = disk.subvolumes.get(checkedVolumeId(id));
    if (found !== undefined) return found;
    throw new RigError('not_found', `there is no subvolume ${id}`);
  };

  return {
    disk,
    failNext: (call, error = new RigError('io', `${call} failed on demand`)) => failNext(call, error),
    space: () => perform('space', () => spaceOf(disk)),
    list: () =>
      perform('list', () =>
        [...disk.subvolumes]
          .map(([id, subvolume]) => shown(id, subvolume))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    find: (id) =>
      perform('find', () => {
        const subvolume = disk.subvolumes.get(checkedVolumeId(id));
        return subvolume === undefined ? undefined : shown(id, subvolume);
      }),
    create: ({ id, quotaBytes }) =>
      perform('create', () => {
        const present = disk.subvolumes.get(checkedVolumeId(id));
        checkedQuota(quotaBytes);
        if (present === undefined) disk.subvolumes.set(id, { quotaBytes, ...emptyContent() });
        else present.quotaBytes = quotaBytes;
      }),
    setQuota: ({ id, quotaBytes }) =>
      perform('setQuota', () => {
        checkedQuota(quotaBytes);
        volume(id).quotaBytes = quotaBytes;
      }),
    clone: ({ id, parentId, quotaBytes }) =>
      perform('clone', () => {
        const present = disk.subvolumes.get(checkedVolumeId(id));
        checkedVolumeId(parentId);
        checkedQuota(quotaBytes);
        if (present === undefined) disk.subvolumes.set(id, { ...copyOf(volume(parentId)), quotaBytes });
        else present.quotaBytes = quotaBytes;
      }),
    rewrite: ({ id, compression, signal }) =>
      perform('rewrite', () => {
        const subvolume = volume(id);
        if (signal?.aborted) throw abortError(signal);
        const beforeBytes = subvolume.usedBytes;
        recompress(subvolume, checkedCompression(compression) ?? subvolume.compression);
        return { beforeBytes, afterBytes: subvolume.usedBytes };
      }),
    ...copies.calls,
    health: () => perform('health', () => disk.health),
    trash: (id) =>
      perform('trash', () => {
        const subvolume = disk.subvolumes.get(checkedVolumeId(id));
        if (subvolume === undefined) return;
        disk.subvolumes.delete(id);
        disk.trash.push({ id, trashedAtMs: clock.nowMs(), usedBytes: subvolume.usedBytes });
      }),
    purgeTrash: ({ olderThanMs }) =>
      perform('purgeTrash', () => {
        copies.sweep();
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

function shown(id: string, { quotaBytes, usedBytes }: MemorySubvolume): Subvolume {
  return { id, quotaBytes, usedBytes };
}

/** A volume and its copies share what they have: together they take as much as the largest of them. */
function spaceOf(disk: MemoryDisk): { totalBytes: number; availableBytes: number } {
  const families = new Map<string, number>();
  const count = (id: string, { usedBytes }: MemoryContent): unknown =>
    families.set(id, Math.max(usedBytes, families.get(id) ?? 0));
  for (const [id, subvolume] of disk.subvolumes) count(id, subvolume);
  for (const { id, content } of disk.copies.values()) count(id, content);
  const kept = [...families.values(), ...disk.trash.map(({ usedBytes }) => usedBytes)];
  const usedBytes = kept.reduce((sum, bytes) => sum + bytes, 0);
  return { totalBytes: disk.totalBytes, availableBytes: Math.max(0, disk.totalBytes - usedBytes) };
}
