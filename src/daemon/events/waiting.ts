// Many that wait for the same news, each for as long as it likes.

import type { Clock } from '../../base/clock.ts';

export interface Waiting {
  wakeAll(): void;
  /** Resolves at the next wake-up, after `ms` (default: never), or when the signal fires. */
  wait(options: { readonly ms?: number; readonly signal: AbortSignal }): Promise<void>;
}

export function createWaiting(clock: Clock): Waiting {
  const sleepers = new Set<() => void>();
  return {
    wakeAll: () => {
      for (const wake of [...sleepers]) wake();
    },
    wait: ({ ms, signal }) =>
      new Promise((resolve) => {
        const wake = (): void => {
          cancel?.();
          sleepers.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const cancel = ms === undefined ? undefined : clock.after(ms, wake);
        sleepers.add(wake);
        signal.addEventListener('abort', wake);
        if (signal.aborted) wake();
      }),
  };
}
