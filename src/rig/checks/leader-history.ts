// Who led when, as etcd's events have it.

import { LEADER_KEY } from '../../kv/keys.ts';
import { leaderSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';

/** The leader key from its creation to its deletion. `term` is its creation revision. */
export interface Reign {
  readonly term: number;
  /** `node` and `instance` of the holder; undefined when the value was malformed. */
  readonly node: string | undefined;
  readonly instance: string | undefined;
  readonly created: EtcdEvent;
  readonly deleted: EtcdEvent | undefined;
  /** Later puts on the same key. */
  readonly rewrites: readonly EtcdEvent[];
}

/** Every reign, in order. */
export function reigns(run: RecordedRun): readonly Reign[] {
  const all: Reign[] = [];
  let open: Reign | undefined;
  const close = (deleted: EtcdEvent | undefined): void => {
    if (open !== undefined) all.push({ ...open, deleted });
    open = undefined;
  };
  for (const event of run.etcd) {
    if (event.key !== LEADER_KEY) continue;
    if (event.kind === 'delete') {
      close(event);
    } else if (open === undefined) {
      const holder = holderOf(event);
      const term = event.createRevision ?? event.revision;
      open = { term, ...holder, created: event, deleted: undefined, rewrites: [] };
    } else {
      open = { ...open, rewrites: [...open.rewrites, event] };
    }
  }
  close(undefined);
  return all;
}

/** Who the value of the leader key names. */
export function holderOf(event: EtcdEvent): {
  readonly node: string | undefined;
  readonly instance: string | undefined;
} {
  try {
    const leader = parseStored(leaderSchema, { key: event.key, value: event.value ?? '' });
    return { node: leader.node, instance: leader.instance };
  } catch {
    return { node: undefined, instance: undefined };
  }
}
