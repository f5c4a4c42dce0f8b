// etcd's keys with all that is still known of their history, and every event from then on:
// over losses, other ports, and stores that begin anew.

import { whenAborted } from '../../base/abortable.ts';
import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import { createSystemRandom } from '../../base/random.ts';
import { openKv } from '../../cluster/open-kv.ts';
import { followPrefix } from '../../kv/follow.ts';
import type { KeyValue, Kv, WatchEvent } from '../../kv/kv.ts';
import { revisionOf } from '../../kv/kv.ts';
import type { KeyAt, KeyEvent, KeyHistory } from '../../rig/console/key-history.ts';
import { historyOf } from '../etcd-history.ts';
import type { Hub } from './hub.ts';

export interface KeyFollowing {
  /** Where etcd is reached by now; empty: nowhere. */
  reachedAt(urls: readonly string[]): void;
  readonly done: Promise<void>;
}

export interface FollowKeysOptions {
  readonly history: KeyHistory;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The keys, or how far they are known, have changed. */
  readonly onChange: () => void;
  /** The watch stands, or why it doesn't. */
  readonly onReach: (lost: RigError | undefined) => void;
}

const AGAIN_AFTER_MS = 250;
const NOWHERE = new RigError('unavailable', 'no member of etcd runs');

export function followKeys(options: FollowKeysOptions): KeyFollowing {
  const { clock, signal, onReach } = options;
  let urls: readonly string[] | undefined;
  let moved = new AbortController();
  // When each revision was seen, by the cluster that had it: a history that is read again does not tell.
  const seen = createSeen();

  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      moved = new AbortController();
      const ended = AbortSignal.any([signal, moved.signal]);
      if (urls === undefined || urls.length === 0) {
        if (urls !== undefined) onReach(NOWHERE);
        await whenAborted(ended);
        continue;
      }
      const kv = openKv(urls);
      try {
        await followOne({ ...options, kv, seen, signal: ended });
      } catch (error) {
        if (!ended.aborted) onReach(RigError.from(error));
      } finally {
        await kv.close();
      }
      if (!ended.aborted) await clock.sleep(AGAIN_AFTER_MS, ended).catch(() => undefined);
    }
  };
  return {
    reachedAt: (found) => {
      if (found.join() === urls?.join()) return;
      urls = found;
      moved.abort();
    },
    done: follow(),
  };
}

async function followOne(
  options: FollowKeysOptions & { readonly kv: Kv; readonly seen: Seen },
): Promise<void> {
  const { kv, history, hub, clock, signal, seen, onChange, onReach } = options;
  await followPrefix({
    ...{ kv, clock, signal, random: createSystemRandom(), prefix: '' },
    onSnapshot: async ({ clusterId }) => {
      await readHistory(kv, history, (revision) => seen.at(clusterId, revision));
      hub.tell({ type: 'reset', revision: history.to });
      onReach(undefined);
      onChange();
    },
    onBatch: ({ clusterId, events, revision }) => {
      const atMs = clock.nowMs();
      for (const event of events) seen.note(clusterId, revisionOf(event), atMs);
      const fresh = history.add(events.map((event) => keyEvent(event, atMs)));
      const changes = fresh.flatMap(history.changesAt);
      history.reach(revision);
      onReach(undefined);
      if (changes.length === 0) return;
      hub.tell({
        type: 'keys',
        revision: history.to,
        changes: changes.map((change) => ({ ...change, now: nowOf(history, change) })),
      });
      onChange();
    },
    onDisconnect: onReach,
  });
}

const nowOf = (
  history: KeyHistory,
  change: { readonly key: string; readonly revision: number },
): KeyAt | null => history.entryAt(change.key, change.revision) ?? null;

/** All that etcd still knows; again where some of it was compacted away meanwhile. */
async function readHistory(
  kv: Kv,
  history: KeyHistory,
  seenAt: (revision: number) => number | undefined,
): Promise<void> {
  for (;;) {
    try {
      const { from, to, events } = await historyOf(kv, '');
      const before = from > 1 ? (await kv.list('', { revision: from - 1 })).kvs : [];
      history.reset({ from, keys: before.map(keyAt) });
      history.add(events.map((event) => keyEvent(event, seenAt(revisionOf(event)))));
      history.reach(to);
      return;
    } catch (error) {
      if (!hasCode(error, 'compacted')) throw error;
    }
  }
}

const keyAt = ({ key, value, modRevision, createRevision, version, lease }: KeyValue): KeyAt => ({
  ...{ key, value, version, revision: modRevision, created: createRevision },
  lease: lease === '0' ? null : lease,
});

function keyEvent(event: WatchEvent, atMs: number | undefined): KeyEvent {
  const at = atMs === undefined ? {} : { atMs };
  if (event.kind === 'delete') return { kind: 'delete', key: event.key, revision: event.modRevision, ...at };
  const { key, value, modRevision, lease } = event.kv;
  return { ...{ kind: 'put', key, value, lease, revision: modRevision }, ...at };
}

interface Seen {
  note(clusterId: string, revision: number, atMs: number): void;
  at(clusterId: string, revision: number): number | undefined;
}

/** Of a long life; what is older, the history has forgotten too. */
const MOST_SEEN = 60_000;

function createSeen(): Seen {
  const times = new Map<number, number>();
  let of: string | undefined;
  return {
    note: (clusterId, revision, atMs) => {
      if (clusterId !== of) times.clear();
      of = clusterId;
      times.set(revision, atMs);
      if (times.size > MOST_SEEN) times.delete(times.keys().next().value ?? revision);
    },
    at: (clusterId, revision) => (clusterId === of ? times.get(revision) : undefined),
  };
}
