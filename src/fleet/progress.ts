// How far the copy of the store has come, for those who wait for it to come so far.

import type { Clock } from '../base/clock.ts';

export interface Progress {
  readonly revision: number;
  /** False while what is there may be old: nobody is answered then. */
  isSynced: boolean;
  /** Goes back when the store did. */
  advance(revision: number): void;
  /** Resolves when the copy is synced and has come to the revision; to false after the time. */
  reached(revision: number, withinMs: number): Promise<boolean>;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

export function createProgress(clock: Clock): Progress {
  let waiters: Waiter[] = [];
  const progress = {
    revision: 0,
    isSynced: false,
    advance: (revision: number): void => {
      progress.revision = revision;
      const due = waiters.filter((waiter) => waiter.revision <= revision);
      if (due.length === 0) return;
      waiters = waiters.filter((waiter) => waiter.revision > revision);
      for (const { resolve } of due) resolve();
    },
    reached: (revision: number, withinMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        if (progress.isSynced && progress.revision >= revision) {
          resolve(true);
          return;
        }
        const cancel = clock.after(withinMs, () => {
          waiters = waiters.filter((other) => other !== waiter);
          resolve(false);
        });
        const waiter: Waiter = {
          revision,
          resolve: () => {
            cancel();
            resolve(true);
          },
        };
        waiters.push(waiter);
      }),
  };
  return progress;
}
