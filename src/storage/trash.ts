// Which entries of the trash may go for good.

import type { Clock } from '../base/clock.ts';

/** However long the retention, nobody waits longer than this for a daemon that was just started. */
const LONGEST_WATCH_MS = 3_600_000;

export interface TrashWatch<K> {
  /** Of all that is in the trash now, what may go. Remembers the rest until the next call. */
  due(
    entries: readonly { readonly key: K; readonly trashedAtMs: number }[],
    options: { readonly olderThanMs: number },
  ): readonly K[];
}

/**
 * An entry's time in the trash can only be told by the wall clock, which may
 * jump. So an entry goes only when this process, too, has met it at an earlier
 * call, and since then the retention (at most an hour of it) has passed on the
 * monotonic clock. With a retention of 0 it goes at once.
 */
export function createTrashWatch<K>(clock: Clock): TrashWatch<K> {
  let metAtMs: ReadonlyMap<K, number> = new Map();
  return {
    due: (entries, { olderThanMs }) => {
      const nowMs = clock.monotonicMs();
      const met = new Map(entries.map(({ key }) => [key, metAtMs.get(key) ?? nowMs]));
      metAtMs = met;
      const watchMs = Math.min(olderThanMs, LONGEST_WATCH_MS);
      return entries
        .filter(({ trashedAtMs }) => clock.nowMs() - trashedAtMs >= olderThanMs)
        .map(({ key }) => key)
        .filter((key) => nowMs - (met.get(key) ?? nowMs) >= watchMs);
    },
  };
}
