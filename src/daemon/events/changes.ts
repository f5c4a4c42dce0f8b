// From what etcd says to what the cluster's events are derived from (model/picture.ts).

import { LEADER_KEY, NODES_PREFIX, nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import { type KeyValue, revisionOf, type WatchEvent } from '../../kv/kv.ts';
import type { ClusterEvent } from '../../model/event.ts';
import { leaderSchema, nodeSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { advance, type Change, emptyPicture, type Picture } from '../../model/picture.ts';
import { volumeSchema } from '../../model/volume.ts';

/** Called for a value that can't be read; its change is passed over. */
export type OnMalformed = (key: string, cause: unknown) => void;

/** All events of one revision. */
export interface Told {
  readonly revision: number;
  readonly events: readonly ClusterEvent[];
}

export function pictureOf(kvs: readonly KeyValue[], onMalformed: OnMalformed): Picture {
  const picture = emptyPicture();
  advance(picture, { revision: 1, changes: kvs.flatMap((kv) => changeOf(kv.key, kv, onMalformed)) });
  return picture;
}

/** Moves the picture on by whole revisions; those of which there is nothing to tell are left out. */
export function tell(
  picture: Picture,
  events: readonly WatchEvent[],
  onMalformed: OnMalformed,
): readonly Told[] {
  const byRevision = new Map<number, Change[]>();
  for (const event of events) {
    const [key, kv] = event.kind === 'put' ? [event.kv.key, event.kv] : [event.key, undefined];
    const revision = revisionOf(event);
    const changes = byRevision.get(revision) ?? [];
    changes.push(...changeOf(key, kv, onMalformed));
    byRevision.set(revision, changes);
  }
  return [...byRevision]
    .map(([revision, changes]) => ({ revision, events: advance(picture, { revision, changes }) }))
    .filter((told) => told.events.length > 0);
}

/** None for a key that no event tells of, and for a value under another one's key. */
function changeOf(key: string, kv: KeyValue | undefined, onMalformed: OnMalformed): readonly Change[] {
  try {
    if (key.startsWith(VOLUMES_PREFIX)) {
      const id = nameIn(VOLUMES_PREFIX, key);
      const value = kv && parseStored(volumeSchema, kv);
      return value === undefined || value.id === id ? [{ kind: 'volume', id, value }] : [];
    }
    if (key.startsWith(NODES_PREFIX)) {
      const name = nameIn(NODES_PREFIX, key);
      const value = kv && parseStored(nodeSchema, kv);
      return value === undefined || value.name === name ? [{ kind: 'node', name, value }] : [];
    }
    return key === LEADER_KEY ? [{ kind: 'leader', value: kv && parseStored(leaderSchema, kv) }] : [];
  } catch (cause) {
    onMalformed(key, cause);
    return [];
  }
}
