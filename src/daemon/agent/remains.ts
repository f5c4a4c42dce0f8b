// What lies on the node's disk that isn't its own, or won't be for long. Whoever wants to take the disk away has to
// wait until it is gone, and must not be told so too early: a handover gives a volume away between two comparisons.

import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { parseStored } from '../../model/parse.ts';
import { isOnItsWay, volumeSchema } from '../../model/volume.ts';

/**
 * The volumes of which the disk holds more than etcd leaves to this node: a subvolume that is another node's,
 * nobody's or on its way to another node, or any copy of a move. The trash doesn't count: what is there was given up.
 */
export function remainsOn(options: {
  readonly self: string;
  /** Listed after the disk. */
  readonly kvs: readonly KeyValue[];
  /** Ids of its subvolumes. */
  readonly onDisk: readonly string[];
  /** Ids of the volumes that it has copies of. */
  readonly copied: readonly string[];
}): ReadonlySet<string> {
  const own = new Set(
    options.kvs
      .filter((kv) => kv.key.startsWith(VOLUMES_PREFIX) && stays(kv, options.self))
      .map(({ key }) => nameIn(VOLUMES_PREFIX, key)),
  );
  return new Set([...options.onDisk.filter((id) => !own.has(id)), ...options.copied]);
}

/** One that can't be read isn't counted among the node's volumes either (api/node-view.ts). */
function stays(kv: KeyValue, self: string): boolean {
  try {
    const volume = parseStored(volumeSchema, kv);
    return volume.node === self && !isOnItsWay(volume);
  } catch {
    return false;
  }
}

export interface Remains {
  /** Of how many volumes something remains; null until a comparison has told since `forget`. */
  count(): number | null;
  /** The volume may be given away from now on. It counts until a comparison that begins later has told. */
  leaves(id: string): void;
  /** Nothing of it is left: whoever cleared it away doesn't wait for the next comparison to tell. */
  gone(id: string): void;
  /** To be called when a comparison begins; what it answers with, with what was found (null: that can't be told). */
  compare(): (found: ReadonlySet<string> | null) => void;
  /** What was found, or is being found now, was another time's. */
  forget(): void;
}

export function createRemains(): Remains {
  let found: ReadonlySet<string> | null = null;
  /** Each with the number of comparisons that had begun by then. */
  const leaving = new Map<string, number>();
  let begun = 0;
  let forgotten = 0;
  return {
    count: () => (found === null ? null : new Set([...found, ...leaving.keys()]).size),
    leaves: (id) => void leaving.set(id, begun),
    gone: (id) => {
      leaving.delete(id);
      if (found !== null) found = new Set([...found].filter((other) => other !== id));
    },
    compare: () => {
      begun += 1;
      const number = begun;
      return (latest) => {
        if (number <= forgotten) return;
        found = latest;
        if (latest === null) return;
        for (const [id, before] of leaving) if (before < number) leaving.delete(id);
      };
    },
    forget: () => {
      found = null;
      forgotten = begun;
    },
  };
}
