// The heart of the in-memory etcd: keys, revisions and history, with no notion
// of time, clients or failure. Source: etcd's server/mvcc and etcdserver/apply.go, release 3.5.

import { RigError } from '../base/errors.ts';
import type { Compare, KeyValue, WatchEvent, Write } from './kv.ts';

/** etcd's default `--max-txn-ops`. */
const MAX_TRANSACTION_OPERATIONS = 128;

export interface Mvcc {
  /** The revision of the last commit; 1 in an empty store. */
  readonly revision: number;
  /** The revision of the last compaction; 0 for none. */
  readonly compactRevision: number;
  get(key: string): KeyValue | undefined;
  list(prefix: string): readonly KeyValue[];
  /** True when every compare holds. A missing key compares as 0. */
  holds(compares: readonly Compare[]): boolean;
  /** Applies all writes in one revision; none is used up when nothing changes. */
  commit(writes: readonly Write[]): void;
  /** The keys attached to a lease, in key order. */
  keysOfLease(leaseId: string): readonly string[];
  /** Events under the prefix from `fromRevision` on, which must not be compacted. */
  eventsFrom(fromRevision: number, prefix: string): readonly WatchEvent[];
  /** Forgets history before the revision. `compacted` if that was done already, `invalid` for the future. */
  compact(revision: number): void;
}

export function createMvcc(): Mvcc {
  let revision = 1;
  let compactRevision = 0;
  const current = new Map<string, KeyValue>();
  const sortedKeys: string[] = [];
  const leased = new Map<string, Set<string>>();
  /** history[i] holds the events of revision historyStart + i. Revision 1 is the empty store. */
  let history: (readonly WatchEvent[])[] = [];
  let historyStart = 2;

  const detach = (kv: KeyValue | undefined): void => {
    if (kv !== undefined) leased.get(kv.lease)?.delete(kv.key);
  };

  const put = (write: Write & { kind: 'put' }, at: number): WatchEvent => {
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
    return { kind: 'put', kv };
  };

  const remove = (key: string, at: number): WatchEvent | undefined => {
    const before = current.get(key);
    if (before === undefined) return undefined;
    detach(before);
    current.delete(key);
    sortedKeys.splice(lowerBound(sortedKeys, key), 1);
    return { kind: 'delete', key, modRevision: at };
  };

  return {
    get revision() {
      return revision;
    },
    get compactRevision() {
      return compactRevision;
    },
    get: (key) => current.get(key),
    list: (prefix) => {
      const found: KeyValue[] = [];
      for (let index = lowerBound(sortedKeys, prefix); index < sortedKeys.length; index += 1) {
        const key = sortedKeys[index] as string;
        if (!key.startsWith(prefix)) break;
        found.push(current.get(key) as KeyValue);
      }
      return found;
    },
    holds: (compares) =>
      compares.every((compare) => actual(current.get(compare.key), compare) === compare.equals),
    commit: (writes) => {
      const events: WatchEvent[] = [];
      for (const write of writes) {
        const event = write.kind === 'put' ? put(write, revision + 1) : remove(write.key, revision + 1);
        if (event !== undefined) events.push(Object.freeze(event));
      }
      if (events.length === 0) return;
      revision += 1;
      history.push(events);
    },
    keysOfLease: (leaseId) => [...(leased.get(leaseId) ?? [])].sort(),
    eventsFrom: (fromRevision, prefix) =>
      history
        .slice(Math.max(0, fromRevision - historyStart))
        .flatMap((events) => events.filter((event) => eventKey(event).startsWith(prefix))),
    compact: (at) => {
      if (at <= compactRevision) throw new RigError('compacted', `revision ${at} is already compacted`);
      if (at > revision)
        throw new RigError('invalid', `cannot compact at ${at}: the store is at ${revision}`);
      history = history.slice(Math.max(0, at - historyStart));
      historyStart = Math.max(historyStart, at);
      compactRevision = at;
    },
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

function eventKey(event: WatchEvent): string {
  return event.kind === 'put' ? event.kv.key : event.key;
}

/** The index of the first key that is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
