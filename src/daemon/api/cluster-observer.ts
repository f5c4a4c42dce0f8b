// What the API measures of the cluster, from a copy of it that follows etcd by one watch: begun by whoever asks for
// metrics first, and no call to etcd ever after. An API that nobody asks has none.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { LEADER_KEY, nameIn, ROOT, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { KeyValue, Kv, WatchEvent } from '../../kv/kv.ts';
import { createView, type View, type ViewChange } from '../../kv/view.ts';
import { leaderSchema } from '../../model/node.ts';
import { readable } from '../../model/parse.ts';
import { type Volume, type VolumeState, volumeSchema } from '../../model/volume.ts';
import { type ClusterFigures, figuresOf } from './cluster-figures.ts';

/** So long the first who asks waits for the copy. */
const FIRST_LOOK_MS = 500;

export interface ObserverOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whose API it is. */
  readonly node: string;
  /** What is known of etcd by other calls: a watch alone may be silent for a while. */
  readonly isReachable: () => boolean | undefined;
}

/** Answers with what is known; undefined before etcd has ever been read. Never rejects. */
export type ClusterObserver = () => Promise<ClusterFigures | undefined>;

/** Follows for as long as the store is open. */
export function createClusterObserver(options: ObserverOptions): ClusterObserver {
  let following: Following | undefined;
  return async () => {
    if (following === undefined || following.hasEnded()) following = follow(options);
    await following.untilKnown(FIRST_LOOK_MS);
    return following.figures();
  };
}

interface Following {
  hasEnded(): boolean;
  untilKnown(withinMs: number): Promise<void>;
  figures(): ClusterFigures | undefined;
}

function follow({ kv, clock, random, log, node, isReachable }: ObserverOptions): Following {
  const stays = createStays();
  const terms = createTerms();
  const known = Promise.withResolvers<void>();
  let hasEnded = false;
  /** On the monotonic clock: when etcd was last known to agree. */
  let confirmedMs = clock.monotonicMs();

  const onChange = (view: View, change: ViewChange): void => {
    stays.note(view, change);
    terms.note(view, change);
    known.resolve();
  };
  const { view, done } = createView({
    kv,
    clock,
    random,
    prefix: ROOT,
    // It ends with the store.
    signal: new AbortController().signal,
    onChange,
    onDisconnect: () => {
      confirmedMs = clock.monotonicMs();
    },
  });
  done.catch((cause: unknown) => {
    if (!hasCode(cause, 'aborted')) log.error('metrics.unfollowed', { cause });
    hasEnded = true;
    known.resolve();
  });
  return {
    hasEnded: () => hasEnded,
    untilKnown: async (withinMs) => {
      if (view.revision > 0) return;
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(withinMs, late.resolve);
      await Promise.race([known.promise, late.promise]);
      cancel();
    },
    figures: () => {
      if (view.revision === 0) return undefined;
      if (view.synced && isReachable() !== false) confirmedMs = clock.monotonicMs();
      const ageSeconds = (clock.monotonicMs() - confirmedMs) / 1000;
      const nowMs = clock.nowMs();
      const figures = figuresOf({ entries: view.entries, node, sinceMs: stays.sinceMs, nowMs });
      return { ...figures, leaderChanges: terms.changes(), ageSeconds };
    },
  };
}

const putBy = (events: readonly WatchEvent[]): readonly KeyValue[] =>
  events.flatMap((event) => (event.kind === 'put' ? [event.kv] : []));

/**
 * Since when each volume is in its state. The first that is seen of it, its last change is taken for that moment: it
 * may have been there for longer, for an error, say, that was tried anew.
 */
function createStays() {
  const stays = new Map<string, { readonly state: VolumeState; readonly sinceMs: number }>();
  const begunMs = ({ control }: Volume): number => Date.parse(control.updated);
  const stay = (volume: Volume): void => {
    if (stays.get(volume.id)?.state === volume.state) return;
    stays.set(volume.id, { state: volume.state, sinceMs: begunMs(volume) });
  };
  const take = (kvs: readonly KeyValue[]): void => {
    const volumes = kvs.filter(({ key }) => key.startsWith(VOLUMES_PREFIX));
    for (const { value } of readable(volumeSchema, { kvs: volumes, onMalformed: () => undefined }))
      stay(value);
  };
  return {
    note: ({ entries }: View, change: ViewChange): void => {
      if (change.kind === 'snapshot') {
        for (const id of stays.keys()) if (!entries.has(`${VOLUMES_PREFIX}${id}`)) stays.delete(id);
        take([...entries.values()]);
        return;
      }
      for (const event of change.events)
        if (event.kind === 'delete' && event.key.startsWith(VOLUMES_PREFIX))
          stays.delete(nameIn(VOLUMES_PREFIX, event.key));
      take(putBy(change.events));
    },
    sinceMs: (volume: Volume): number => stays.get(volume.id)?.sinceMs ?? begunMs(volume),
  };
}

/** How often the lead has passed to another engine: a process, not a node. */
function createTerms() {
  let last: string | undefined;
  let changes = 0;
  const take = (kvs: readonly KeyValue[]): void => {
    const leaders = kvs.filter(({ key }) => key === LEADER_KEY);
    for (const { value } of readable(leaderSchema, { kvs: leaders, onMalformed: () => undefined })) {
      if (last !== undefined && value.instance !== last) changes += 1;
      last = value.instance;
    }
  };
  return {
    note: ({ entries }: View, change: ViewChange): void =>
      take(change.kind === 'snapshot' ? [...entries.values()] : putBy(change.events)),
    changes: () => changes,
  };
}
