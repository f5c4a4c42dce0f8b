// Time as a port. Daemon code never touches Date or timers, so that the
// simulator can own every tick; the real clock is the only place that does.

import { RigError } from './errors.ts';

export interface Clock {
  /** Wall-clock time, in milliseconds since the Unix epoch. May jump. For people and records. */
  nowMs(): number;
  /** Milliseconds from an arbitrary origin; never goes back. For deadlines and leases. */
  monotonicMs(): number;
  /** Resolves after `ms`. Rejects with `aborted` as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's own clock. Its timers keep the process alive only while somebody waits on them. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: sleepBy(setTimer),
    after: setTimer,
  };
}

function setTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** The `sleep` of a clock, made of its `after`. */
export const sleepBy =
  (after: Clock['after']): Clock['sleep'] =>
  (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal === undefined) {
        after(ms, resolve);
        return;
      }
      if (signal.aborted) {
        reject(abortError(signal));
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(abortError(signal));
      };
      const cancel = after(ms, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });

/** The error that a fired signal stands for. */
export function abortError(signal?: AbortSignal): RigError {
  return new RigError('aborted', 'the operation was given up by its caller', {
    definite: false,
    cause: signal?.reason,
  });
}
