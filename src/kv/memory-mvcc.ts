// The heart of the in-memory etcd: keys, revisions and history, with no notion
// of time, clients or failure. Source: etcd's server/mvcc and etcdserver/apply.go, release 3.5.

import { RigError } from '../base/errors.ts';
import type { Compare, KeyValue, ListOptions, Write } from './kv.ts';
import { type Change, createHistory, deleteChange, putChange } from './memory-history.ts';
import { lowerBound, type Page, pageOf, refuseUnlessKept, type Table, undo } from './memory-list.ts';
import { createSubscribers, type Subscriber } from './memory-subscribers.ts';

/** etcd's default `--max-txn-ops`. */
const MAX_TRANSACTION_OPERATIONS = 128;

export interface Mvcc {
  /** The revision of the last commit; 1 in an empty store. */
  readonly revision: number;
  /** The revision of the last compaction; 0 for none. */
  readonly compactRevision: number;
  get(key: string): KeyValue | undefined;
  /** Fails as Kv.list does for a revision that is not there. */
  list(prefix: string, options?: ListOptions): Page;
  /** True when every compare holds. A missing key compares as 0. */
  holds(compares: readonly Compare[]): boolean;
  /** Applies all writes in one revision; none is used up when nothing changes. */
  commit(writes: readonly Write[]): void;
  /** The keys attached to a lease, in key order. */
  keysOfLease(leaseId: string): readonly string[];
  /** From now on it is handed every change under the prefix, after those of the history from `fromRevision` on, if given. */
  subscribe(wanted: {
    readonly prefix: string;
    readonly fromRevision?: number;
    /** Called when something was committed for it. */
    readonly onArrival: () => void;
  }): Inbox;
  /** Forgets history before the revision. `compacted` if that was done already, `invalid` for the future. */
  compact(revision: number): void;
}

/** What was committed and not taken yet. */
export interface Inbox {
  /** All of it, in order; empties the inbox. */
  take(): readonly Change[];
  end(): void;
}

export function createMvcc(): Mvcc {
  let revision = 1;
  const history = createHistory();
  const subscribers = createSubscribers();
  const current = new Map<string, KeyValue>();
  const sortedKeys: string[] = [];
  const leased = new Map<string, Set<string>>();
  /** Whole lists as of now, by prefix: whoever watches over everything asks again and again. */
  const pages = new Map<string, Page>();

  const detach = (kv: KeyValue | undefined): void => {
    if (kv !== undefined) leased.get(kv.lease)?.delete(kv.key);
  };

  const put = (write: Write & { kind: 'put' }, at: number): Change => {
    const { key, value, lease = '0' } = write;
    const before = current.get(key);
    detach(before);
    if (lease !== '0') leased.set(lease, (leased.get(lease) ?? new Set()).add(key));
    if (before === undefined) sortedKeys.splice(lowerBound(sortedKeys, key), 0, key);
    const kv: KeyValue = Object.freeze({
      key,
      value,
      createRevision: before?.createRevision ?? at,
      modRevision: at,
      version: (before?.version ?? 0) + 1,
      lease,
    });
    current.set(key, kv);
    return putChange(kv, before);
  };

  const remove = (key: string, at: number): Change | undefined => {
    const before = current.get(key);
    if (before === undefined) return undefined;
    detach(before);
    current.delete(key);
    sortedKeys.splice(lowerBound(sortedKeys, key), 1);
    return deleteChange(before, at);
  };

  return {
    get revision() {
      return revision;
    },
    get compactRevision() {
      return history.compactRevision;
    },
    get: (key) => current.get(key),
    list: (prefix, options = {}) => {
      const { revision: at = 0 } = options;
      const now: Table = { sortedKeys, values: current };
      if (at <= 0 || at === revision) {
        const isWhole = options.after === undefined && options.limit === undefined;
        const page = (isWhole && pages.get(prefix)) || pageOf(now, prefix, options);
        if (isWhole) pages.set(prefix, page);
        return page;
      }
      refuseUnlessKept(at, { revision, compactRevision: history.compactRevision });
      return pageOf(undo(now, history.from(at + 1)), prefix, options);
    },
    holds: (compares) =>
      compares.every((compare) => actual(current.get(compare.key), compare) === compare.equals),
    commit: (writes) => {
      const changes: Change[] = [];
      for (const write of writes) {
        const change = write.kind === 'put' ? put(write, revision + 1) : remove(write.key, revision + 1);
        if (change !== undefined) changes.push(change);
      }
      if (changes.length === 0) return;
      revision += 1;
      pages.clear();
      history.append(changes);
      subscribers.deliver(changes);
    },
    keysOfLease: (leaseId) => [...(leased.get(leaseId) ?? [])].sort(),
    subscribe: ({ prefix, fromRevision, onArrival }) => {
      const past = fromRevision === undefined ? [] : history.from(fromRevision);
      const inbox = past.filter(({ key }) => key.startsWith(prefix));
      const deliver: Subscriber = (changes) => {
        inbox.push(...changes);
        onArrival();
      };
      return { take: () => inbox.splice(0), end: subscribers.add(prefix, deliver) };
    },
    compact: (at) => history.compact(at, revision),
  };
}

/**
 * etcd's static rules for a transaction (v3rpc/key.go, checkTxnRequest): no
 * empty key, no more than 128 operations, and no key that is put twice or both
 * put and deleted. Deleting a key twice is allowed. Throws `invalid`.
 */
export function checkTransaction(compares: readonly Compare[], writes: readonly Write[]): void {
  if (Math.max(compares.length, writes.length) > MAX_TRANSACTION_OPERATIONS) {
    throw new RigError('invalid', `a transaction has at most ${MAX_TRANSACTION_OPERATIONS} operations`);
  }
  if ([...compares, ...writes].some(({ key }) => key === '')) throw new RigError('invalid', 'a key is empty');
  const deleted = new Set(writes.filter(({ kind }) => kind === 'delete').map(({ key }) => key));
  const put = new Set<string>();
  for (const { kind, key } of writes) {
    if (kind === 'delete') continue;
    if (put.has(key) || deleted.has(key)) {
      throw new RigError('invalid', `a transaction writes ${key} more than once`);
    }
    put.add(key);
  }
}

function actual(kv: KeyValue | undefined, compare: Compare): number {
  if (kv === undefined) return 0;
  if (compare.target === 'mod') return kv.modRevision;
  return compare.target === 'create' ? kv.createRevision : kv.version;
}
