// Waking a loop: it can be rung any number of times, and is heard once.

import type { Clock } from '../base/clock.ts';

export interface Bell {
  ring(): void;
  /** Resolves when the bell has rung since it was last heard, after `timeoutMs` (default: never), or when the signal fires. */
  heard(timeoutMs?: number): Promise<void>;
}

/** For one listener at a time. */
export function createBell({ clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    heard: async (timeoutMs) => {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const cancel = timeoutMs === undefined ? undefined : clock.after(timeoutMs, resolve);
          const onAbort = (): void => resolve();
          signal.addEventListener('abort', onAbort, { once: true });
          wake = () => {
            cancel?.();
            signal.removeEventListener('abort', onAbort);
            resolve();
          };
        });
        // Also after an abort or a timeout: takes the timer and the listener away.
        wake?.();
        wake = undefined;
      }
      rung = false;
    },
  };
}
