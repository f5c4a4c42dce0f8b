// One history out of the watches at several members of etcd: each event once, from
// whoever tells of it first, and whether all of them tell the same. Pure.

import { createHash } from 'node:crypto';
import { revisionOf, type WatchBatch, type WatchEvent } from '../kv/kv.ts';
import type { Disagreement, Telling } from './history.ts';

export interface MergedWatches {
  /** The newest revision of which everything was told by some member. */
  seen(): number;
  /** Up to where this member has told everything; its watch goes on behind that. */
  position(member: string): number;
  /** It can't tell any more of what others have told meanwhile. */
  skip(member: string): void;
  /** What a batch of this member's watch has that no other brought before. */
  take(
    member: string,
    batch: WatchBatch,
  ): { readonly fresh: readonly WatchEvent[]; readonly disagreement?: Disagreement };
}

export function createMergedWatches(members: readonly string[]): MergedWatches {
  const positions = new Map(members.map((member) => [member, 0]));
  /** Of each revision with events that some member has yet to tell of. */
  const tellings = new Map<number, Told>();
  const disagreed = new Set<string>();
  let seen = 0;
  let forgotten = 0;
  const positionOf = (member: string): number => positions.get(member) ?? 0;
  const moveTo = (member: string, revision: number): void => {
    positions.set(member, Math.max(positionOf(member), revision));
    const least = Math.min(...positions.values());
    for (; forgotten < least; forgotten += 1) tellings.delete(forgotten + 1);
  };

  /** Who first differed needn't be told of again: what comes after it is likely to differ, too. */
  const compare = (member: string, upTo: number, told: ReadonlyMap<number, Told>) => {
    if (disagreed.has(member)) return undefined;
    for (let revision = positionOf(member) + 1; revision <= Math.min(seen, upTo); revision += 1) {
      const first = tellings.get(revision) ?? { member: 'another', events: [] };
      const second = told.get(revision) ?? { member, events: [] };
      if (areSame(first.events, second.events)) continue;
      disagreed.add(member);
      return { revision, told: [textsOf(first), textsOf(second)] } satisfies Disagreement;
    }
    return undefined;
  };

  return {
    seen: () => seen,
    position: positionOf,
    skip: (member) => moveTo(member, seen),
    take: (member, { events, revision }) => {
      const told = new Map(
        [...Map.groupBy(events, revisionOf)].map(([each, those]) => [each, { member, events: those }]),
      );
      const disagreement = compare(member, revision, told);
      const fresh = events.filter((event) => revisionOf(event) > seen);
      for (const [each, telling] of told) if (each > seen) tellings.set(each, telling);
      seen = Math.max(seen, revision);
      moveTo(member, revision);
      return { fresh, ...(disagreement !== undefined && { disagreement }) };
    },
  };
}

/** What a member has told of one revision. */
interface Told {
  readonly member: string;
  readonly events: readonly WatchEvent[];
}

const areSame = (some: readonly WatchEvent[], others: readonly WatchEvent[]): boolean =>
  some.length === others.length && some.every((event, index) => isSame(event, others[index]));

function isSame(one: WatchEvent, other: WatchEvent | undefined): boolean {
  if (one === other) return true;
  if (one.kind === 'delete' || other?.kind !== 'put')
    return one.kind === other?.kind && keyOf(one) === keyOf(other);
  const { key, value, createRevision, version, lease } = one.kv;
  return (
    key === other.kv.key &&
    value === other.kv.value &&
    createRevision === other.kv.createRevision &&
    version === other.kv.version &&
    lease === other.kv.lease
  );
}

const keyOf = (event: WatchEvent): string => (event.kind === 'put' ? event.kv.key : event.key);

const textsOf = ({ member, events }: Told): Telling => ({ member, events: events.map(textOf) });

/** Everything that must be the same at every member; a value may hold secrets, and be long. */
function textOf(event: WatchEvent): string {
  if (event.kind === 'delete') return `delete ${event.key}`;
  const { key, value, createRevision, version, lease } = event.kv;
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 12);
  return `put ${key} created at ${createRevision}, version ${version}, lease ${lease}, sha256 ${digest}`;
}
