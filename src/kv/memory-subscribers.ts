// Who is handed which changes of the in-memory etcd as they are committed.

import type { Change } from './memory-history.ts';

/** Takes what was committed under its prefix. */
export type Subscriber = (changes: readonly Change[]) => void;

export interface Subscribers {
  /** The returned function ends it. */
  add(prefix: string, subscriber: Subscriber): () => void;
  /** To those of one prefix after the other, in the order in which the prefixes were first subscribed to. */
  deliver(changes: readonly Change[]): void;
}

/** By prefix: many watch the same, and of many different ones, such as everybody's own key, a change concerns few. */
export function createSubscribers(): Subscribers {
  interface Group {
    readonly prefix: string;
    readonly place: number;
    readonly those: Set<Subscriber>;
  }
  const groups = new Map<string, Group>();
  /** How many prefixes there are of each length. */
  const lengths = new Map<number, number>();
  let places = 0;
  const count = (length: number, change: 1 | -1): void => {
    const left = (lengths.get(length) ?? 0) + change;
    if (left === 0) lengths.delete(length);
    else lengths.set(length, left);
  };
  const open = (prefix: string): Group => {
    places += 1;
    const group = { prefix, place: places, those: new Set<Subscriber>() };
    groups.set(prefix, group);
    count(prefix.length, 1);
    return group;
  };
  const concerned = (changes: readonly Change[]): readonly Group[] => {
    const found = new Set<Group>();
    for (const { key } of changes) {
      for (const length of lengths.keys()) {
        const group = length <= key.length ? groups.get(key.slice(0, length)) : undefined;
        if (group !== undefined) found.add(group);
      }
    }
    return [...found].sort((one, other) => one.place - other.place);
  };
  return {
    add: (prefix, subscriber) => {
      const group = groups.get(prefix) ?? open(prefix);
      group.those.add(subscriber);
      return () => {
        if (!group.those.delete(subscriber) || group.those.size > 0) return;
        groups.delete(prefix);
        count(prefix.length, -1);
      };
    },
    deliver: (changes) => {
      for (const { prefix, those } of concerned(changes)) {
        const wanted = changes.filter(({ key }) => key.startsWith(prefix));
        for (const deliver of those) deliver(wanted);
      }
    },
  };
}
