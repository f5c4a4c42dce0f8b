// Nodes that are to start: spread over a time, and no more of them under way than can get
// through, so that on a machine that is busy one after the other is there, and not all at
// last or none.

import type { Clock } from '../base/clock.ts';

export interface Start {
  /** Begins it; false: it is no longer wanted. */
  readonly begin: () => boolean;
  readonly isDone: () => boolean;
}

export interface Starts {
  /** Spreads them over `spreadMs`, the first at once. */
  add(starts: readonly Start[], spreadMs: number): void;
  /** None begins any more. */
  stop(): void;
}

const AT_ONCE = 200;
/** One that takes longer doesn't hold up the others: its hardware may never let it through. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;

export function createStarts(clock: Clock): Starts {
  let waiting: { readonly start: Start; readonly dueMs: number }[] = [];
  let underWay: { readonly start: Start; readonly sinceMs: number }[] = [];
  let cancel: (() => void) | undefined;

  const look = (): void => {
    cancel = undefined;
    const nowMs = clock.monotonicMs();
    underWay = underWay.filter(({ start, sinceMs }) => !start.isDone() && nowMs - sinceMs < PATIENCE_MS);
    let begun = 0;
    for (const { start, dueMs } of waiting) {
      if (dueMs > nowMs || underWay.length >= AT_ONCE) break;
      begun += 1;
      if (start.begin()) underWay.push({ start, sinceMs: nowMs });
    }
    waiting = waiting.slice(begun);
    if (waiting.length > 0) cancel = clock.after(LOOK_MS, look);
  };

  return {
    add: (starts, spreadMs) => {
      const nowMs = clock.monotonicMs();
      const added = starts.map((start, index) => ({
        start,
        dueMs: nowMs + (index * spreadMs) / starts.length,
      }));
      waiting = [...waiting, ...added].sort((a, b) => a.dueMs - b.dueMs);
      cancel?.();
      look();
    },
    stop: () => {
      cancel?.();
      waiting = [];
    },
  };
}
