// A watch of the in-memory etcd. As in etcd, one that starts in the past reads
// the history until it has caught up, and is refused once that is compacted; one
// that has caught up is handed every commit, which no compaction takes back.

import { abortError } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { WatchBatch, WatchEvent, WatchOptions } from './kv.ts';
import type { Change } from './memory-history.ts';
import type { Inbox, Mvcc } from './memory-mvcc.ts';

/** What a watch sees of the store. */
export interface Watched {
  readonly mvcc: Mvcc;
  readonly clusterId: string;
  readonly available: boolean;
  /** Number of outages so far: tells a watch that it missed one. */
  readonly outages: number;
  /** Called when there is an outage. */
  readonly sleepers: Set<() => void>;
}

/** Whoever watches. Not a signal: with each watch that listens to one, the next has more listeners to be compared with. */
export interface Watcher {
  readonly isClosed: boolean;
  /** Called when it is closed. */
  readonly sleepers: Set<() => void>;
}

type Options = WatchOptions & { readonly watcher: Watcher };

/** By hand, for every event goes to many watches: an async generator makes thrice as many promises of each. */
export function watchMemory(store: Watched, options: Options): AsyncIterable<WatchBatch> {
  return {
    [Symbol.asyncIterator]: () => {
      let watch: OpenWatch | undefined;
      let isOver = false;
      const end = (): void => {
        isOver = true;
        watch?.end();
      };
      const over = { done: true, value: undefined } as const;
      return {
        next: async () => {
          if (isOver) return over;
          try {
            if (watch !== undefined) {
              const value = await watch.batch();
              return value === undefined ? over : { done: false, value };
            }
            watch = openWatch(store, options);
            return { done: false, value: watch.bookmark };
          } catch (error) {
            end();
            throw error;
          }
        },
        return: async () => {
          end();
          return over;
        },
      };
    },
  };
}

interface OpenWatch {
  readonly bookmark: WatchBatch;
  /** All that was committed since the last; undefined once it has ended. Throws what the watch ends by. */
  batch(): Promise<WatchBatch | undefined>;
  end(): void;
}

function openWatch(store: Watched, options: Options): OpenWatch {
  const { mvcc, clusterId } = store;
  const { prefix, signal, watcher } = options;
  const fromRevision = Math.max(1, options.fromRevision);
  const outagesBefore = store.outages;
  const check = (): void => {
    if (signal.aborted) throw abortError(signal);
    if (watcher.isClosed) throw new RigError('aborted', 'the client was closed');
    if (!store.available || store.outages > outagesBefore) {
      throw new RigError('unavailable', 'the watch broke: the store in memory was switched off');
    }
  };
  check();
  if (fromRevision > mvcc.revision + 1) {
    throw new RigError('compacted', `revision ${fromRevision} is ahead of the store's ${mvcc.revision}`);
  }
  let isOver = false;
  const alarm = createAlarm([store.sleepers, watcher.sleepers], signal);
  const wanted = { prefix, onArrival: alarm.ring };
  // Whoever has nothing to catch up with is handed the commits from now on.
  let inbox = fromRevision > mvcc.revision ? mvcc.subscribe(wanted) : undefined;
  const caughtUp = (): Inbox => {
    // As etcd does, only once it has said that the watch is established.
    if (Math.max(1, fromRevision - 1) < mvcc.compactRevision) {
      throw new RigError('compacted', `revision ${fromRevision} of ${prefix} is no longer kept`);
    }
    return mvcc.subscribe({ ...wanted, fromRevision });
  };
  return {
    bookmark: { clusterId, revision: fromRevision - 1, events: [] },
    batch: async () => {
      while (!isOver) {
        check();
        inbox ??= caughtUp();
        const events = inbox.take().map((change) => toEvent(change, options, mvcc.compactRevision));
        if (events.length > 0) return { clusterId, revision: mvcc.revision, events };
        await alarm.rung();
      }
      return undefined;
    },
    end: () => {
      isOver = true;
      inbox?.end();
      alarm.end();
    },
  };
}

/**
 * etcd looks up what was before only when it sends an event, and leaves it out if
 * the revision before is compacted by then (etcdserver/api/v3rpc/watch.go, sendLoop, release 3.5).
 */
function toEvent(change: Change, { previous }: WatchOptions, compactRevision: number): WatchEvent {
  const kept = previous === true && change.revision - 1 >= compactRevision;
  return kept ? change.eventWithPrevious : change.event;
}

/** What wakes a watch that sleeps: a commit, an outage, or its end. */
interface Alarm {
  readonly ring: () => void;
  /** Resolves when it rings next. */
  rung(): Promise<void>;
  end(): void;
}

/** It listens for as long as the watch lasts: to begin and end that around every sleep costs more than all the rest. */
function createAlarm(sleepers: readonly Set<() => void>[], signal: AbortSignal): Alarm {
  let wake: (() => void) | undefined;
  const ring = (): void => {
    wake?.();
    wake = undefined;
  };
  for (const those of sleepers) those.add(ring);
  signal.addEventListener('abort', ring);
  return {
    ring,
    rung: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    end: () => {
      ring();
      for (const those of sleepers) those.delete(ring);
      signal.removeEventListener('abort', ring);
    },
  };
}
