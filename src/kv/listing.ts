// What is read out of a listing of everything: it is in the order of its keys (Kv.list), so that nobody needs to go
// through all of it for the little that is wanted.

import type { KeyValue } from './kv.ts';

/** Those of its keys that begin with the prefix. */
export function under(kvs: readonly KeyValue[], prefix: string): readonly KeyValue[] {
  let from = 0;
  let to = kvs.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((kvs[middle] as KeyValue).key < prefix) from = middle + 1;
    else to = middle;
  }
  let end = from;
  while (kvs[end]?.key.startsWith(prefix) === true) end += 1;
  return kvs.slice(from, end);
}

/** The key itself, if it is there. */
export function at(kvs: readonly KeyValue[], key: string): KeyValue | undefined {
  return under(kvs, key).find((kv) => kv.key === key);
}
