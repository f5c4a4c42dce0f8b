// Lists of the in-memory etcd: a page of the keys under a prefix, now or as of an earlier revision.

import { RigError } from '../base/errors.ts';
import type { KeyValue, ListOptions } from './kv.ts';
import type { Change } from './memory-history.ts';

/** Keys in order, and what each holds. */
export interface Table {
  readonly sortedKeys: readonly string[];
  readonly values: ReadonlyMap<string, KeyValue>;
}

export interface Page {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export function pageOf(table: Table, prefix: string, { after = '', limit = 0 }: ListOptions): Page {
  const { sortedKeys, values } = table;
  const kvs: KeyValue[] = [];
  let index = lowerBound(sortedKeys, after > prefix ? after : prefix);
  if (sortedKeys[index] === after) index += 1;
  for (; index < sortedKeys.length; index += 1) {
    const key = sortedKeys[index] as string;
    if (!key.startsWith(prefix)) break;
    // As in etcd, a limit of 0 is none.
    if (limit > 0 && kvs.length === limit) return { kvs, more: true };
    kvs.push(values.get(key) as KeyValue);
  }
  return { kvs, more: false };
}

/** The table as it was before the changes, which are the latest, oldest first. */
export function undo(table: Table, changes: readonly Change[]): Table {
  const values = new Map(table.values);
  for (const { key, previous } of changes.toReversed()) {
    if (previous === undefined) values.delete(key);
    else values.set(key, previous);
  }
  return { sortedKeys: [...values.keys()].sort(), values };
}

/** etcd's answers to a read at a revision that is not there (mvcc/kvstore_txn.go, rangeKeys). */
export function refuseUnlessKept(
  at: number,
  store: { readonly revision: number; readonly compactRevision: number },
): void {
  if (at > store.revision) throw new RigError('invalid', `revision ${at} is yet to come`);
  if (at < store.compactRevision) throw new RigError('compacted', `revision ${at} is no longer kept`);
}

/** The index of the first key that is not less than `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
