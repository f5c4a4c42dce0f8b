// The cluster's keys as thousands of agents in one process share them: one watch
// of everything, one copy, and for each event the nodes that it is about. An agent
// of its own process would watch and list for itself, which grows with the square of
// their number.
//
// What is read here is linearizable nevertheless, as etcd's own followers do it
// (ReadIndex, Ongaro's thesis, 6.4): the store's revision is asked for once for all
// who ask meanwhile, and they are answered when the copy has come so far.

import type { Clock } from '../base/clock.ts';
import { abortError } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { followPrefix } from '../kv/follow.ts';
import { CLUSTER_KEY, ROOT } from '../kv/keys.ts';
import { type KeyValue, type Kv, revisionOf, type WatchEvent } from '../kv/kv.ts';
import { createIndex, type Index } from './index-by-node.ts';
import { createShared } from './shared-call.ts';

/** Events that are kept for those who have listed and are about to watch. */
const HISTORY_LENGTH = 20_000;
/** After so long without the event that a read waits for, the store is compared with the copy. */
const QUIET_MS = 1000;

/** An event, and whom it is about. */
export interface Notice {
  readonly event: WatchEvent;
  readonly nodes: readonly string[];
}

export interface Subscriber {
  readonly node: string;
  readonly push: (event: WatchEvent) => void;
  /** Nothing comes after it. */
  readonly fail: (error: RigError) => void;
}

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

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/** Begins at once. */
export function createSharedStore(options: SharedStoreOptions): SharedStore {
  const { kv, clock, signal, timeoutMs } = options;
  const entries = new Map<string, KeyValue>();
  const index = createIndex();
  const subscribers = new Map<string, Set<Subscriber>>();
  let history: Notice[] = [];
  /** Events up to here aren't in the history. */
  let forgottenRevision = 0;
  let revision = 0;
  let clusterId = '';
  let isSynced = false;
  let waiters: Waiter[] = [];
  let lastError = new RigError('unavailable', 'the store has not been read yet');

  const advance = (to: number): void => {
    revision = to;
    const due = waiters.filter((waiter) => waiter.revision <= revision);
    if (due.length === 0) return;
    waiters = waiters.filter((waiter) => waiter.revision > revision);
    for (const { resolve } of due) resolve();
  };
  const endSubscriptions = (error: RigError): void => {
    const ended = [...subscribers.values()].flatMap((set) => [...set]);
    subscribers.clear();
    for (const { fail } of ended) fail(error);
  };
  const take = (event: WatchEvent): void => {
    const nodes = index.apply(event, entries);
    if (event.kind === 'put') entries.set(event.kv.key, event.kv);
    else entries.delete(event.key);
    if (nodes.length === 0) return;
    history.push({ event, nodes });
    for (const node of nodes) for (const { push } of subscribers.get(node) ?? []) push(event);
  };

  const done = followPrefix({
    ...options,
    prefix: ROOT,
    afterLoss: 'list',
    onSnapshot: (snapshot) => {
      endSubscriptions(new RigError('compacted', 'the store was listed anew'));
      entries.clear();
      for (const found of snapshot.kvs) entries.set(found.key, found);
      index.replace(snapshot.kvs);
      history = [];
      forgottenRevision = snapshot.revision;
      clusterId = snapshot.clusterId;
      isSynced = true;
      advance(snapshot.revision);
    },
    onBatch: ({ events, revision: upTo }) => {
      for (const event of events) take(event);
      if (history.length > HISTORY_LENGTH) {
        const gone = history.splice(0, history.length - HISTORY_LENGTH / 2).at(-1);
        if (gone !== undefined) forgottenRevision = revisionOf(gone.event);
      }
      isSynced = true;
      advance(Math.max(revision, upTo));
    },
    onDisconnect: (cause) => {
      isSynced = false;
      lastError = cause;
      endSubscriptions(cause);
    },
  });

  /** Resolves to false after the time. */
  const reach = (wanted: number, withinMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      if (isSynced && revision >= wanted) {
        resolve(true);
        return;
      }
      const cancel = clock.after(withinMs, () => {
        waiters = waiters.filter((other) => other !== waiter);
        resolve(false);
      });
      const waiter: Waiter = {
        revision: wanted,
        resolve: () => {
          cancel();
          resolve(true);
        },
      };
      waiters.push(waiter);
    });

  /** Keys elsewhere in the store count its revision up, too, and of them no event tells. */
  const compare = async (): Promise<void> => {
    const listed = await kv.list(ROOT);
    const isSame = ({ key, modRevision }: KeyValue): boolean => entries.get(key)?.modRevision === modRevision;
    if (listed.clusterId !== clusterId || listed.kvs.length !== entries.size) return;
    if (listed.revision > revision && listed.kvs.every(isSame)) advance(listed.revision);
  };

  const freshOnce = createShared(async () => {
    const endMs = clock.monotonicMs() + timeoutMs;
    if (signal.aborted) throw abortError(signal);
    // While nothing answers, waiting costs less than asking again and again.
    if (!isSynced && !(await reach(0, timeoutMs))) throw lastError;
    const seenRevision = revision;
    const now = await kv.get(CLUSTER_KEY);
    if (now.clusterId !== clusterId || now.revision < seenRevision) {
      // What the copy holds is of another store; the watch breaks, and then it is listed anew.
      await clock.sleep(QUIET_MS, signal);
      throw new RigError('unavailable', 'etcd is another one, or went back, and the watch has yet to notice');
    }
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
      if (await reach(now.revision, Math.min(QUIET_MS, leftMs))) return;
      await compare().catch((error: unknown) => {
        if (!hasCode(error, 'unavailable', 'timeout')) throw error;
      });
    }
    throw new RigError('timeout', `the watch of ${ROOT} has not come to revision ${now.revision}`);
  });

  return {
    fresh: freshOnce,
    entries,
    index,
    get revision() {
      return revision;
    },
    get clusterId() {
      return clusterId;
    },
    get isSynced() {
      return isSynced;
    },
    subscribe: (fromRevision, subscriber) => {
      if (!isSynced) throw lastError;
      if (fromRevision <= forgottenRevision) {
        throw new RigError('compacted', `revision ${fromRevision} is not remembered any more`);
      }
      for (const { event, nodes } of history) {
        if (revisionOf(event) >= fromRevision && nodes.includes(subscriber.node)) subscriber.push(event);
      }
      const set = subscribers.get(subscriber.node) ?? new Set();
      subscribers.set(subscriber.node, set.add(subscriber));
      return () => {
        set.delete(subscriber);
        if (set.size === 0 && subscribers.get(subscriber.node) === set) subscribers.delete(subscriber.node);
      };
    },
    done,
  };
}
