// The newest events, for many readers at their own pace. A reader that falls behind what is kept has
// lost its place, and nobody waits for it.

import type { Told } from './changes.ts';

/** Of a reader: where it goes on. Stays valid over a reset, which every reader then comes to next. */
export type Place = number;

export interface Ring {
  /** Begins anew, with nothing to tell: what was up to the revision is known otherwise. */
  begin(revision: number): void;
  add(told: Told): void;
  /** Takes the place of everything before it. */
  reset(told: Told): void;
  /** True when everything that came after the revision is kept. */
  covers(revision: number): boolean;
  /** Behind everything up to the revision, which must be covered. */
  placeAfter(revision: number): Place;
  /** What is there; undefined when nothing has come yet, `lost` when it is no longer kept. */
  at(place: Place): { readonly told: Told; readonly next: Place } | undefined | 'lost';
}

/** `capacity`: of events, not of revisions; the last revision is kept however large it is. */
export function createRing(capacity: number): Ring {
  let kept: Told[] = [];
  /** The place of the first one that is kept. */
  let first = 0;
  /** The revision after which everything is kept; undefined at first. */
  let floor: number | undefined;
  let size = 0;
  /** Places before it have been overtaken by a reset. */
  let resetAt = 0;

  const evict = (): void => {
    while (size > capacity && kept.length > 1) {
      const [oldest] = kept.splice(0, 1);
      first += 1;
      size -= oldest?.events.length ?? 0;
      floor = oldest?.revision ?? floor;
    }
  };
  const restart = (revision: number, told: readonly Told[]): void => {
    first += kept.length;
    kept = [...told];
    size = told.reduce((sum, { events }) => sum + events.length, 0);
    floor = revision;
  };

  return {
    begin: (revision) => restart(revision, []),
    add: (told) => {
      kept.push(told);
      size += told.events.length;
      evict();
    },
    reset: (told) => {
      restart(told.revision, [told]);
      resetAt = first;
    },
    covers: (revision) => floor !== undefined && revision >= floor,
    placeAfter: (revision) => {
      // What is kept goes up by revisions; readers come to its end far more often than to its middle.
      const index = kept.findLastIndex((told) => told.revision <= revision);
      return first + index + 1;
    },
    at: (place) => {
      const from = Math.max(place, resetAt);
      if (from < first) return 'lost';
      const told = kept[from - first];
      return told === undefined ? undefined : { told, next: from + 1 };
    },
  };
}
