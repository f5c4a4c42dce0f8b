// What a process that dies loses: its ports. From then on no call of it answers,
// not even one that was under way, so that nothing of it runs on; and what it
// had not written is gone.

import type { Clock } from '../../src/base/clock.ts';
import {
  createFailpoints,
  type Failpoint,
  type FailpointActions,
  type Failpoints,
} from '../../src/base/failpoints.ts';

export interface Life {
  readonly isOver: boolean;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  end(): void;
}

export function createLife(): Life {
  let isOver = false;
  let resolve = (): void => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    get isOver() {
      return isOver;
    },
    over,
    end: () => {
      isOver = true;
      resolve();
    },
  };
}

const never = new Promise<never>(() => {});

/** The port as this life has it. Its functions must answer with promises or streams. */
export function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        if (life.isOver) return never;
        return bound(
          Reflect.apply(
            value,
            target,
            args.map((arg) => (isStream(arg) ? bound(arg, life) : arg)),
          ),
          life,
        );
      };
    },
  });
}

/** Its timers stop with it. */
export function mortalClock(clock: Clock, life: Life): Clock {
  const dead = new AbortController();
  void life.over.then(() => dead.abort());
  return {
    ...clock,
    sleep: (ms, signal) =>
      bound(
        clock.sleep(ms, signal === undefined ? dead.signal : AbortSignal.any([signal, dead.signal])),
        life,
      ) as Promise<void>,
    after: (ms, callback) => {
      const cancel = clock.after(ms, callback);
      dead.signal.addEventListener('abort', cancel, { once: true });
      return () => {
        dead.signal.removeEventListener('abort', cancel);
        cancel();
      };
    },
  };
}

/** Failpoints at which a test waits for a process to die. */
export interface Ambush {
  /** How often each was come to, whether something happened there or not. */
  readonly reached: Map<Failpoint, number>;
  /** Whoever comes to it (default: for the first time from now on) dies there. Resolves when that has happened. */
  crashAt(name: Failpoint, occurrence?: number): Promise<void>;
  /** The failpoints of a process, with what is to happen at them besides, and how it dies. */
  failpoints(options: {
    readonly clock: Clock;
    readonly actions: FailpointActions;
    readonly die: () => void;
  }): Failpoints;
}

export function createAmbush(): Ambush {
  const reached = new Map<Failpoint, number>();
  const armed = new Map<Failpoint, { left: number; readonly crashed: () => void }>();
  return {
    reached,
    crashAt: (name, occurrence = 1) =>
      new Promise((crashed) => {
        armed.set(name, { left: occurrence, crashed });
      }),
    failpoints: ({ clock, actions, die }) => {
      const crash = (): Promise<never> => {
        die();
        return never;
      };
      const failpoints = createFailpoints({ clock, actions, crash });
      return {
        reach: async (name) => {
          reached.set(name, (reached.get(name) ?? 0) + 1);
          const trap = armed.get(name);
          if (trap !== undefined) trap.left -= 1;
          if (trap?.left === 0) {
            armed.delete(name);
            trap.crashed();
            await crash();
          }
          await failpoints.reach(name);
        },
      };
    },
  };
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function bound(answer: unknown, life: Life): unknown {
  if (answer instanceof Promise) {
    return answer.then(
      (value) => (life.isOver ? never : value),
      (error: unknown) => {
        if (life.isOver) return never;
        throw error;
      },
    );
  }
  return isStream(answer) ? streamOf(answer, life) : answer;
}

function streamOf(stream: AsyncIterable<unknown>, life: Life): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = stream[Symbol.asyncIterator]();
      return {
        next: () =>
          life.isOver ? never : (bound(iterator.next(), life) as Promise<IteratorResult<unknown>>),
        return: async () => {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
