// Which subvolumes and exports nobody accounts for, and what may be done about
// them, as a pure function. The agent never deletes what it can't account for, and
// an etcd that is away or empty accounts for nothing: only two consecutive
// linearizable listings convict.

import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { parseStored } from '../../model/parse.ts';
import { volumeSchema } from '../../model/volume.ts';

/** When each suspect was first seen, on the monotonic clock, in every listing since. */
export type Suspects = ReadonlyMap<string, number>;

export interface OrphanOptions {
  readonly self: string;
  /** All volume keys, listed *after* the disk: what was created before is then accounted for. */
  readonly kvs: readonly KeyValue[];
  readonly onDisk: readonly string[];
  readonly exported: readonly string[];
  /** Ids whose subvolumes finished moves account for (move/mover.ts). */
  readonly spared: ReadonlySet<string>;
  /** As answered after the listing before. */
  readonly suspects: Suspects;
  readonly nowMs: number;
  /** Least time between the two listings. */
  readonly intervalMs: number;
}

export interface OrphanVerdict {
  readonly suspects: Suspects;
  /** Another node's, yet exported here: one listing is enough to stop that. */
  readonly unexport: readonly string[];
  /** To be unexported and moved to the trash. */
  readonly trash: readonly string[];
}

export function judgeOrphans(options: OrphanOptions): OrphanVerdict {
  const { self, nowMs } = options;
  const owners = new Map(
    options.kvs
      .filter(({ key }) => key.startsWith(VOLUMES_PREFIX))
      .map((kv) => [nameIn(VOLUMES_PREFIX, kv.key), ownerOf(kv, self)]),
  );
  const exported = new Set(options.exported);
  const suspects = new Map<string, number>();
  const unexport: string[] = [];
  const trash: string[] = [];
  for (const id of new Set([...options.onDisk, ...options.exported])) {
    const owner = owners.get(id) ?? 'nobody';
    if (owner === 'self') continue;
    const isOthers = owner !== 'nobody' && exported.has(id);
    const isSpared = owner === 'travels' || options.spared.has(id);
    const firstSeenMs = isSpared ? undefined : options.suspects.get(id);
    if (!isSpared) suspects.set(id, firstSeenMs ?? nowMs);
    if (firstSeenMs !== undefined && nowMs - firstSeenMs >= options.intervalMs) trash.push(id);
    else if (isOthers) unexport.push(id);
  }
  return { suspects, unexport, trash };
}

/** `travels`: another node's that moves, here or from here perhaps: its subvolume is left alone, but not exported. */
export type Owner = 'self' | 'other' | 'travels' | 'nobody';

/** A value that can't be read is left alone as if it were ours. */
export function ownerOf(kv: KeyValue, self: string): Owner {
  try {
    const { node, state } = parseStored(volumeSchema, kv);
    if (node === self) return 'self';
    if (node === null) return 'nobody';
    return state === 'moving' ? 'travels' : 'other';
  } catch {
    return 'self';
  }
}
