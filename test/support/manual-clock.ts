// Virtual time for unit tests: nothing happens until the test says so, and then
// all of it happens at once.

import { type Clock, sleepBy } from '../../src/base/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on, running what falls due in its order, with everything that follows from it. */
  advance(ms: number): Promise<void>;
  /** Moves time on as a SIGSTOP does: nothing runs meanwhile, and the timers ring only at the next advance. */
  freeze(ms: number): void;
  /** Lets everything run that does not wait for time to pass. */
  settle(): Promise<void>;
  /** Timers that have yet to ring. */
  readonly pendingTimers: number;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Starts at 0 on the monotonic clock and at 2026-01-01T00:00:00Z on the wall clock. */
export function createManualClock(): ManualClock {
  const epochMs = Date.UTC(2026, 0, 1);
  let elapsedMs = 0;
  const timers = new Set<Timer>();

  const after = (ms: number, callback: () => void): (() => void) => {
    const timer: Timer = { dueMs: elapsedMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  // A macrotask begins only when no microtask is left.
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    nowMs: () => epochMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: sleepBy(after),
    settle,
    freeze: (ms) => {
      elapsedMs += ms;
    },
    advance: async (ms) => {
      const targetMs = elapsedMs + ms;
      for (;;) {
        await settle();
        const [next] = [...timers].sort((left, right) => left.dueMs - right.dueMs);
        if (next === undefined || next.dueMs > targetMs) break;
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        timers.delete(next);
        next.callback();
      }
      elapsedMs = targetMs;
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}
