// The cluster's keys as thousands of agents in one process share them: one watch
// of everything, one copy, and for each event the nodes that it is about. An agent
// of its own process would watch and list for itself, which grows with the square of
// their number.
//
// What is read here is linearizable nevertheless, as etcd's own followers do it
// (ReadIndex, Ongaro's thesis, 6.4): the store's revision is asked for once for all
// who ask meanwhile, and they are answered when the copy has come so far.

import { abortError, type Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { followPrefix } from '../kv/follow.ts';
import { CLUSTER_KEY, ROOT } from '../kv/keys.ts';
import type { KeyValue, Kv } from '../kv/kv.ts';
import { createIndex, type Index } from './index-by-node.ts';
import { createNotices, type Subscriber } from './notices.ts';
import { createProgress, type Progress } from './progress.ts';
import { createShared } from './shared-call.ts';

/** After so long without the event that a read waits for, the store is compared with the copy. */
const QUIET_MS = 1000;

export interface SharedStore {
  /**
   * Resolves when the copy holds everything that was committed before this call. Whoever goes on at once may read it.
   * Rejects with `unavailable` or `timeout` after the time limit, and as the store does.
   */
  fresh(): Promise<void>;
  readonly entries: ReadonlyMap<string, KeyValue>;
  readonly index: Index;
  readonly revision: number;
  readonly clusterId: string;
  /** False before the first listing and while the watch is broken. */
  readonly isSynced: boolean;
  /**
   * Begins with the revision, and ends with what is returned. Throws `unavailable` while the copy isn't synced,
   * and `compacted` for a revision that it no longer remembers.
   */
  subscribe(fromRevision: number, subscriber: Subscriber): () => void;
  /** Resolves when the signal has fired; rejects as {@link followPrefix} does. */
  readonly done: Promise<void>;
}

export interface SharedStoreOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long a read waits for a store that is away. */
  readonly timeoutMs: number;
}

/** Begins at once. */
export function createSharedStore(options: SharedStoreOptions): SharedStore {
  const { kv, clock } = options;
  const entries = new Map<string, KeyValue>();
  const index = createIndex();
  const notices = createNotices();
  const progress = createProgress(clock);
  let clusterId = '';
  let lastError = new RigError('unavailable', 'the store has not been read yet');

  const done = followPrefix({
    ...options,
    prefix: ROOT,
    afterLoss: 'list',
    onSnapshot: (snapshot) => {
      notices.end(new RigError('compacted', 'the store was listed anew'));
      notices.beginAfter(snapshot.revision);
      entries.clear();
      for (const found of snapshot.kvs) entries.set(found.key, found);
      index.replace(snapshot.kvs);
      clusterId = snapshot.clusterId;
      progress.isSynced = true;
      progress.advance(snapshot.revision);
    },
    onBatch: ({ events, revision }) => {
      for (const event of events) {
        const nodes = index.apply(event, entries);
        if (event.kind === 'put') entries.set(event.kv.key, event.kv);
        else entries.delete(event.key);
        notices.tell(event, nodes);
      }
      progress.isSynced = true;
      progress.advance(Math.max(progress.revision, revision));
    },
    onDisconnect: (cause) => {
      progress.isSynced = false;
      lastError = cause;
      notices.end(cause);
    },
  });

  /** Keys elsewhere in the store count its revision up, too, and of them no event tells. */
  const compare = async (): Promise<void> => {
    const listed = await kv.list(ROOT);
    const isSame = ({ key, modRevision }: KeyValue): boolean => entries.get(key)?.modRevision === modRevision;
    if (listed.clusterId !== clusterId || listed.kvs.length !== entries.size) return;
    if (listed.revision > progress.revision && listed.kvs.every(isSame)) progress.advance(listed.revision);
  };

  return {
    fresh: createShared(() =>
      catchUp({ ...options, progress, compare, clusterId: () => clusterId, lastError: () => lastError }),
    ),
    entries,
    index,
    get revision() {
      return progress.revision;
    },
    get clusterId() {
      return clusterId;
    },
    get isSynced() {
      return progress.isSynced;
    },
    subscribe: (fromRevision, subscriber) => {
      if (!progress.isSynced) throw lastError;
      return notices.subscribe(fromRevision, subscriber);
    },
    done,
  };
}

/** Resolves when the copy has come to where the store is now. */
async function catchUp(
  options: SharedStoreOptions & {
    readonly progress: Progress;
    readonly compare: () => Promise<void>;
    readonly clusterId: () => string;
    readonly lastError: () => RigError;
  },
): Promise<void> {
  const { kv, clock, signal, timeoutMs, progress, compare, clusterId } = options;
  const endMs = clock.monotonicMs() + timeoutMs;
  if (signal.aborted) throw abortError(signal);
  // While nothing answers, waiting costs less than asking again and again.
  if (!progress.isSynced && !(await progress.reached(0, timeoutMs))) throw options.lastError();
  const seenRevision = progress.revision;
  const now = await kv.get(CLUSTER_KEY);
  if (now.clusterId !== clusterId() || now.revision < seenRevision) {
    // What the copy holds is of another store; the watch breaks, and then it is listed anew.
    await clock.sleep(QUIET_MS, signal);
    throw new RigError('unavailable', 'etcd is another one, or went back, and the watch has yet to notice');
  }
  for (let leftMs = timeoutMs; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
    if (await progress.reached(now.revision, Math.min(QUIET_MS, leftMs))) return;
    await compare().catch((error: unknown) => {
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
    });
  }
  throw new RigError('timeout', `the watch of ${ROOT} has not come to revision ${now.revision}`);
}
