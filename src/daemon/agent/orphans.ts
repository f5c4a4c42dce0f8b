// Which subvolumes and exports nobody accounts for, and what may be done about
// them, as a pure function. The agent never deletes what it can't account for
// (design.md): only two consecutive linearizable listings convict.

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
  /** As answered after the listing before. */
  readonly suspects: Suspects;
  readonly nowMs: number;
  /** Least time between the two listings. */
  readonly intervalMs: number;
}

export interface OrphanVerdict {
  readonly suspects: Suspects;
  /** Assigned elsewhere, yet exported here: one listing is enough to stop that. */
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
    const firstSeenMs = options.suspects.get(id);
    suspects.set(id, firstSeenMs ?? nowMs);
    if (firstSeenMs !== undefined && nowMs - firstSeenMs >= options.intervalMs) trash.push(id);
    else if (owner === 'other' && exported.has(id)) unexport.push(id);
  }
  return { suspects, unexport, trash };
}

type Owner = 'self' | 'other' | 'nobody';

/** A value that can't be read, or one under way between nodes, is left alone as if it were ours. */
export function ownerOf(kv: KeyValue, self: string): Owner {
  try {
    const { node, state } = parseStored(volumeSchema, kv);
    if (node === self || state === 'moving') return 'self';
    return node === null ? 'nobody' : 'other';
  } catch {
    return 'self';
  }
}
