// etcd's keys at every revision that is known: what each was then, and what a
// revision has changed.

import { redactedEtcdEvent } from '../redact.ts';
import { changesBetween } from '../report/value-changes.ts';
import type { Entry } from './view.ts';

/** One event of etcd's; events of one transaction share the revision. */
export interface KeyEvent {
  readonly revision: number;
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Absent for deletes. */
  readonly value?: string;
  readonly lease?: string;
  /** When it was seen, in milliseconds of whatever clock its history has; unknown for what was before. */
  readonly atMs?: number;
}

/** A key as of some revision. */
export interface KeyAt extends Entry {
  /** How often it was written since it was created. */
  readonly version: number;
  readonly lease: string | null;
}

export interface KeyChange {
  readonly revision: number;
  readonly key: string;
  readonly did: 'created' | 'changed' | 'deleted';
  /** `state: "pending" → "ready"`, a line each; of what was created: none. */
  readonly lines: readonly string[];
  readonly atMs: number | null;
}

export interface KeyHistory {
  /** The first revision whose changes are known. */
  readonly from: number;
  /** The last. */
  readonly to: number;
  /** Forgets everything, and begins from these keys as they were before `from`. */
  reset(start: { readonly from: number; readonly keys: readonly KeyAt[] }): void;
  /** By revision; those that are known already are left out. Answers with the revisions that are new. */
  add(events: readonly KeyEvent[]): readonly number[];
  /** Nothing happened up to this revision. */
  reach(revision: number): void;
  /** By key. Of a revision before `from`: as of that. */
  at(revision: number): readonly KeyAt[];
  entryAt(key: string, revision: number): KeyAt | undefined;
  /** What that revision has changed. */
  changesAt(revision: number): readonly KeyChange[];
  /** Every change of that key that is known, the last of them. */
  versionsOf(key: string): readonly KeyChange[];
  /** The last revision that was seen by then. */
  revisionAt(atMs: number): number;
}

/** What is kept of a long life; the oldest goes first, by half. */
const MOST_EVENTS = 60_000;

/** Of one key, for people. */
const MOST_VERSIONS = 100;

interface Version {
  readonly revision: number;
  /** Undefined: it was deleted. */
  readonly entry: KeyAt | undefined;
}

/** What each key was, by revision. */
function createVersions() {
  const byKey = new Map<string, Version[]>();
  const indexAt = (list: readonly Version[], revision: number): number =>
    lastIndex(list, (version) => version.revision <= revision);
  return {
    byKey,
    entryAt: (key: string, revision: number): KeyAt | undefined => {
      const list = byKey.get(key) ?? [];
      return list[indexAt(list, revision)]?.entry;
    },
    add: (event: KeyEvent): void => {
      const list = byKey.get(event.key) ?? [];
      byKey.set(event.key, list);
      list.push({ revision: event.revision, entry: entryOf(redacted(event), list.at(-1)?.entry) });
    },
    /** Of what was before it, only what still counted then is left. */
    forgetBefore: (revision: number): void => {
      for (const [key, list] of byKey) {
        list.splice(0, Math.max(0, indexAt(list, revision - 1)));
        const [first] = list;
        if (list.length === 1 && first?.entry === undefined && (first?.revision ?? 0) < revision)
          byKey.delete(key);
      }
    },
  };
}

interface Moment {
  readonly revision: number;
  readonly keys: string[];
  readonly atMs: number | null;
}

/** Secrets don't get in. */
export function createKeyHistory(mostEvents = MOST_EVENTS): KeyHistory {
  const versions = createVersions();
  const { byKey, entryAt } = versions;
  const moments: Moment[] = [];
  let [from, to, count] = [1, 0, 0];

  const forget = (): void => {
    moments.splice(0, Math.floor(moments.length / 2));
    count = moments.reduce((sum, { keys }) => sum + keys.length, 0);
    from = moments[0]?.revision ?? from;
    versions.forgetBefore(from);
  };
  const changesAt = (revision: number): readonly KeyChange[] => {
    const moment = moments[lastIndex(moments, (one) => one.revision <= revision)];
    if (moment?.revision !== revision) return [];
    const { atMs } = moment;
    return moment.keys.map((key) => {
      const [before, after] = [entryAt(key, revision - 1), entryAt(key, revision)];
      return { key, revision, atMs, ...differenceOf(before, after) };
    });
  };
  const take = (event: KeyEvent): void => {
    const { revision, key, atMs = null } = event;
    versions.add(event);
    const last = moments.at(-1);
    if (last?.revision === revision) last.keys.push(key);
    else moments.push({ revision, keys: [key], atMs });
    count += 1;
  };

  return {
    get from() {
      return from;
    },
    get to() {
      return to;
    },
    reset: ({ from: first, keys }) => {
      byKey.clear();
      moments.length = 0;
      [from, to, count] = [first, first - 1, 0];
      for (const one of keys) byKey.set(one.key, [{ revision: one.revision, entry: redacted(one) }]);
    },
    add: (events) => {
      const fresh = events.filter(({ revision }) => revision > to);
      for (const event of fresh) take(event);
      to = fresh.at(-1)?.revision ?? to;
      if (count > mostEvents) forget();
      return [...new Set(fresh.map(({ revision }) => revision))];
    },
    reach: (revision) => {
      to = Math.max(to, revision);
    },
    at: (revision) =>
      [...byKey.keys()].sort().flatMap((key) => entryAt(key, Math.max(revision, from - 1)) ?? []),
    entryAt,
    changesAt,
    versionsOf: (key) =>
      (byKey.get(key) ?? [])
        .slice(-MOST_VERSIONS)
        .flatMap(({ revision }) => changesAt(revision).filter((change) => change.key === key)),
    revisionAt: (atMs) =>
      moments[lastIndex(moments, (moment) => (moment.atMs ?? 0) <= atMs)]?.revision ?? from - 1,
  };
}

/** Of the last that holds, where all that hold come first; -1 when none does. */
function lastIndex<T>(list: readonly T[], holds: (one: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function redacted<T extends { readonly key: string; readonly value?: string }>(event: T): T {
  if (event.value === undefined) return event;
  const { value } = redactedEtcdEvent({
    atMs: 0,
    revision: 0,
    kind: 'put',
    key: event.key,
    value: event.value,
  });
  return value === event.value ? event : { ...event, value };
}

function entryOf(event: KeyEvent, before: KeyAt | undefined): KeyAt | undefined {
  if (event.kind === 'delete') return undefined;
  const { key, value = '', revision, lease = '0' } = event;
  return {
    ...{ key, value, revision },
    created: before?.created ?? revision,
    version: (before?.version ?? 0) + 1,
    lease: lease === '0' ? null : lease,
  };
}

function differenceOf(before: KeyAt | undefined, after: KeyAt | undefined): Pick<KeyChange, 'did' | 'lines'> {
  if (after === undefined) return { did: 'deleted', lines: [] };
  if (before === undefined) return { did: 'created', lines: [] };
  return { did: 'changed', lines: changesBetween(read(before.value), read(after.value)) };
}

function read(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
