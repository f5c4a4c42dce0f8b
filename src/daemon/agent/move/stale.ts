// Which copies on this disk no move needs any more, as a pure function. As with
// orphans, one listing is not enough to convict.

import { nameIn, VOLUMES_PREFIX } from '../../../kv/keys.ts';
import type { KeyValue } from '../../../kv/kv.ts';
import { under } from '../../../kv/listing.ts';
import { parseStored } from '../../../model/parse.ts';
import { isOnItsWay, moveTaskOf, type Volume, volumeSchema } from '../../../model/volume.ts';
import type { Copy } from '../../../storage/storage.ts';

export interface StaleOptions {
  readonly self: string;
  /** All volume keys, listed after the disk. */
  readonly kvs: readonly KeyValue[];
  readonly copies: readonly Copy[];
  /** Ids of the subvolumes here. */
  readonly onDisk: readonly string[];
  /** As answered the time before: when each was first seen, on the monotonic clock, in every listing since. */
  readonly suspects: ReadonlyMap<string, number>;
  readonly nowMs: number;
  readonly intervalMs: number;
}

export interface StaleVerdict {
  readonly suspects: ReadonlyMap<string, number>;
  /** To be discarded; what another node may need (`perhaps`), only if none still has what the volume was there. */
  readonly due: readonly StaleCopy[];
  /** Volumes that have moved away, and whose remains here have a copy to be compared by. */
  readonly moved: ReadonlySet<string>;
}

export interface StaleCopy {
  readonly copy: Copy;
  readonly need: 'stale' | 'perhaps';
}

export function judgeCopies(options: StaleOptions): StaleVerdict {
  const { self, nowMs, intervalMs } = options;
  const stored = new Map(
    under(options.kvs, VOLUMES_PREFIX).map((kv) => [nameIn(VOLUMES_PREFIX, kv.key), kv]),
  );
  const onDisk = new Set(options.onDisk);
  const suspects = new Map<string, number>();
  const due: StaleCopy[] = [];
  const moved = new Set<string>();
  for (const copy of options.copies) {
    const need = needFor(stored.get(copy.id), { self, isOnDisk: onDisk.has(copy.id) });
    if (need === 'moved') moved.add(copy.id);
    if (need === 'needed' || need === 'moved') continue;
    const key = `${copy.id}/${copy.name}`;
    const firstSeenMs = options.suspects.get(key);
    suspects.set(key, firstSeenMs ?? nowMs);
    if (firstSeenMs !== undefined && nowMs - firstSeenMs >= intervalMs) due.push({ copy, need });
  }
  return { suspects, due, moved };
}

/** `moved`: by the source, which has yet to dispose of the volume. `perhaps`: by another node, to dispose of it. */
export type Need = 'needed' | 'moved' | 'perhaps' | 'stale';

/** What the copies of a volume are needed for on this node. */
export function needFor(
  kv: KeyValue | undefined,
  { self, isOnDisk }: { readonly self: string; readonly isOnDisk: boolean },
): Need {
  if (kv === undefined) return 'stale';
  let volume: Volume;
  try {
    volume = parseStored(volumeSchema, kv);
  } catch {
    return 'needed';
  }
  if (volume.node === self) return volume.state === 'moving' ? 'needed' : 'perhaps';
  if (isOnDisk) return 'moved';
  const isComing = isOnItsWay(volume) && moveTaskOf(volume)?.node === self;
  return isComing ? 'needed' : 'stale';
}
