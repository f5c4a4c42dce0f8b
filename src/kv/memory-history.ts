// What the in-memory etcd remembers of its past: the changes of every commit
// since the last compaction, to watch from and to look back with.

import { RigError } from '../base/errors.ts';
import type { KeyValue, WatchEvent } from './kv.ts';

/** One key's change in one commit, as told to those who asked for what it replaced and to those who did not. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly previous: KeyValue | undefined;
  readonly event: WatchEvent;
  readonly eventWithPrevious: WatchEvent;
}

export interface History {
  /** The revision of the last compaction; 0 for none. */
  readonly compactRevision: number;
  /** The next commit. */
  append(changes: readonly Change[]): void;
  /** Every change from `fromRevision` on, in order; those compacted away are missing. */
  from(fromRevision: number): readonly Change[];
  /** Forgets what was before `at`. `compacted` if that was done already, `invalid` for the future. */
  compact(at: number, revision: number): void;
}

export function createHistory(): History {
  let compactRevision = 0;
  /** commits[i] holds the changes of revision start + i. Revision 1 is the empty store. */
  let commits: (readonly Change[])[] = [];
  let start = 2;
  return {
    get compactRevision() {
      return compactRevision;
    },
    append: (changes) => {
      commits.push(changes);
    },
    from: (fromRevision) => commits.slice(Math.max(0, fromRevision - start)).flat(),
    compact: (at, revision) => {
      if (at <= compactRevision) throw new RigError('compacted', `revision ${at} is already compacted`);
      if (at > revision)
        throw new RigError('invalid', `cannot compact at ${at}: the store is at ${revision}`);
      commits = commits.slice(Math.max(0, at - start));
      start = Math.max(start, at);
      compactRevision = at;
    },
  };
}

/** A key was written: `previous` is what it was before, undefined if it was not there. */
export function putChange(kv: KeyValue, previous: KeyValue | undefined): Change {
  const event = { kind: 'put' as const, kv };
  return change({ key: kv.key, revision: kv.modRevision, previous, event });
}

export function deleteChange(previous: KeyValue, revision: number): Change {
  const event = { kind: 'delete' as const, key: previous.key, modRevision: revision };
  return change({ key: previous.key, revision, previous, event });
}

function change(known: Omit<Change, 'eventWithPrevious'>): Change {
  const { event, previous } = known;
  const eventWithPrevious = previous === undefined ? event : { ...event, previous };
  return { ...known, event: Object.freeze(event), eventWithPrevious: Object.freeze(eventWithPrevious) };
}
