// One incarnation of a simulated agent. When its power goes nothing of it runs on: its
// calls are never answered, its timers never ring, and what it had not written is gone.

import { type Clock, sleepBy } from '../base/clock.ts';

export interface Life {
  readonly isOver: boolean;
  end(): void;
  /** Called back once, at the end: whatever others still hold of this life is let go of. */
  onEnd(callback: () => void): void;
}

export function createLife(): Life {
  let isOver = false;
  let callbacks: (() => void)[] = [];
  return {
    get isOver() {
      return isOver;
    },
    end: () => {
      isOver = true;
      for (const callback of callbacks) callback();
      callbacks = [];
    },
    onEnd: (callback) => void callbacks.push(callback),
  };
}

/** A promise of its own each: reactions to a common one would pile up there, with all that they hold. */
export const forever = (): Promise<never> => new Promise(() => {});

/** Settles as the promise does, but not after the end. */
export async function within<T>(life: Life, promise: Promise<T>): Promise<T> {
  try {
    const value = await promise;
    return life.isOver ? await forever() : value;
  } catch (error) {
    return life.isOver ? forever() : Promise.reject(error as Error);
  }
}

/** Its timers end with it. */
export function clockOf(life: Life, clock: Clock): Clock {
  const timers = new Set<() => void>();
  life.onEnd(() => {
    for (const cancel of timers) cancel();
  });
  const after: Clock['after'] = (ms, callback) => {
    const stop = clock.after(ms, () => {
      timers.delete(cancel);
      if (!life.isOver) callback();
    });
    const cancel = (): void => {
      timers.delete(cancel);
      stop();
    };
    timers.add(cancel);
    return cancel;
  };
  return { nowMs: clock.nowMs, monotonicMs: clock.monotonicMs, after, sleep: sleepBy(after) };
}

/**
 * The port as this life has it, with what is done around each call. All its functions answer with promises, but for
 * those named in `streams`, which stay as they are, as values do.
 */
export function portOf<T extends object>(
  life: Life,
  port: T,
  { around, streams = [] }: { readonly around: Around; readonly streams?: readonly (keyof T & string)[] },
): T {
  // A proxy, since an object with a function for each call would take as much room as the agent's own part.
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      if ((streams as readonly string[]).includes(name)) return value;
      return (...args: readonly unknown[]): Promise<unknown> => {
        if (life.isOver) return forever();
        const work = async (): Promise<unknown> =>
          life.isOver ? forever() : Reflect.apply(value, target, args);
        return within(life, around(name, work));
      };
    },
  });
}

/** What is done before and after a call's work, or instead of it. */
export type Around = (call: string, work: () => Promise<unknown>) => Promise<unknown>;

export const plainly: Around = (_call, work) => work();
