// A deadline that is put off by every sign of progress.

import type { Clock } from '../base/clock.ts';

export interface ProgressDeadline {
  /** Something moved: the time begins anew. */
  progress(): void;
  cancel(): void;
}

export function createProgressDeadline(options: {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onExpired: () => void;
}): ProgressDeadline {
  const { clock, timeoutMs, onExpired } = options;
  let lastMs = clock.monotonicMs();
  // One timer that looks again, not a new one for every chunk of a stream.
  const arm = (ms: number): (() => void) =>
    clock.after(ms, () => {
      const leftMs = lastMs + timeoutMs - clock.monotonicMs();
      if (leftMs <= 0) onExpired();
      else cancel = arm(leftMs);
    });
  let cancel = arm(timeoutMs);
  return {
    progress: () => {
      lastMs = clock.monotonicMs();
    },
    cancel: () => cancel(),
  };
}
