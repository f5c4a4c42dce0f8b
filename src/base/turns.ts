// Long work of which only so much may go on at a time; the others wait for their turn, in the order of their coming.

import { abortError } from './clock.ts';

export interface Turns {
  /** True when whoever comes now has to wait. */
  readonly isFull: boolean;
  /** True while somebody waits. */
  readonly isAwaited: boolean;
  /**
   * Resolves when its turn has come, with what ends it, to be called once or more often. Rejects with `aborted` if the
   * signal fires before; afterwards the turn has to be ended all the same.
   */
  begin(signal?: AbortSignal): Promise<() => void>;
  /** Does the work when its turn has come; rejects with `aborted` if the signal fires before. */
  take<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
}

export function createTurns(limit: number): Turns {
  const waiting: (() => void)[] = [];
  let held = 0;

  const turn = (): (() => void) => {
    let isOver = false;
    held += 1;
    return () => {
      if (isOver) return;
      isOver = true;
      held -= 1;
      // At once, so that nobody gets in between.
      waiting.shift()?.();
    };
  };
  const begin = (signal?: AbortSignal): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve(turn());
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(abortError(signal));
      };
      if (signal?.aborted) {
        reject(abortError(signal));
      } else if (held < limit) {
        enter();
      } else {
        waiting.push(enter);
        signal?.addEventListener('abort', giveUp, { once: true });
      }
    });

  return {
    get isFull() {
      return held >= limit;
    },
    get isAwaited() {
      return waiting.length > 0;
    },
    begin,
    take: async (signal, work) => {
      const end = await begin(signal);
      try {
        return await work();
      } finally {
        end();
      }
    },
  };
}
