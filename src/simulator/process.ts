// A simulated process: whatever comes into it, be it a timer, a message or the
// answer of a port, comes by `enter`. So one that is frozen notices nothing until it
// is thawed, and of one that is dead nothing runs on, whatever it was waiting for.

import { type Clock, sleepBy } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Queue } from './queue.ts';

export interface Process {
  /** Its timers ring in it. */
  readonly clock: Clock;
  readonly isOver: boolean;
  readonly isFrozen: boolean;
  /** Runs it in the process: at once, or when it is thawed, or never when it is over. */
  enter(callback: () => void): void;
  freeze(): void;
  thaw(): void;
  /** As SIGKILL does; nothing of it is told. */
  end(): void;
  /** Called with an error that nobody in the process handles, instead of ending the whole simulation. */
  onCrash: ((reason: unknown) => void) | undefined;
  /** It is about to do something that others will see: to its disk, its exports, etcd or another node. */
  step(): void;
  /** Calls back at each such step; the returned function takes that back. */
  onStep(callback: () => void): () => void;
  /** Calls back when it ends, outside of it; the returned function takes that back. */
  onEnd(callback: () => void): () => void;
}

/** 2026-01-01T00:00:00Z: when every simulation begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);

/** `aheadMs`: how far its wall clock is ahead of the true time now. Default: 0. */
export function createProcess(queue: Queue, aheadMs: () => number = () => 0): Process {
  const waiting: (() => void)[] = [];
  const onEnds = new Set<() => void>();
  const onSteps = new Set<() => void>();
  let isOver = false;
  let isFrozen = false;
  const enter = (callback: () => void): void => {
    if (isOver) return;
    if (isFrozen) {
      waiting.push(callback);
      return;
    }
    queue.doer = self;
    callback();
  };
  const after: Clock['after'] = (ms, callback) => {
    let isCancelled = false;
    const ring = (): void => {
      if (!isCancelled) callback();
    };
    const cancel = queue.after(ms, () => enter(ring));
    return () => {
      isCancelled = true;
      cancel();
    };
  };
  const process: Process = {
    clock: clockBy(queue, after, aheadMs),
    onCrash: undefined,
    get isOver() {
      return isOver;
    },
    get isFrozen() {
      return isFrozen;
    },
    enter,
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
      // All that came meanwhile is there at once, and is heard one after the other.
      for (const callback of waiting.splice(0)) queue.after(0, () => enter(callback));
    },
    end: () => {
      if (isOver) return;
      isOver = true;
      waiting.length = 0;
      for (const callback of [...onEnds]) callback();
    },
    step: () => {
      for (const callback of onSteps) callback();
    },
    onStep: (callback) => {
      onSteps.add(callback);
      return () => void onSteps.delete(callback);
    },
    onEnd: (callback) => {
      onEnds.add(callback);
      return () => void onEnds.delete(callback);
    },
  };
  const self = {
    crash: (reason: unknown): void => {
      if (process.onCrash === undefined) throw reason;
      process.onCrash(reason);
    },
  };
  return process;
}

function clockBy(queue: Queue, after: Clock['after'], aheadMs: () => number): Clock {
  return {
    // Whole, as Date.now() is.
    nowMs: () => Math.floor(EPOCH_MS + queue.nowMs + aheadMs()),
    monotonicMs: () => queue.nowMs,
    after,
    sleep: sleepBy(after),
  };
}

/** What came of it, as the process hears of it. */
export function heardBy<T>(process: Process, outcome: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    outcome.then(
      (value) => process.enter(() => resolve(value)),
      (error: unknown) => process.enter(() => reject(error)),
    );
  });
}

/** Has the process do it; whoever asked hears what came of it. Rejects with `unavailable` when the process ends before. */
export function doneBy<T>(process: Process, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new RigError('unavailable', 'the process ended', { definite: false }));
    if (process.isOver) return gone();
    const forget = process.onEnd(gone);
    const over = (settle: () => void): void => {
      forget();
      settle();
    };
    process.enter(
      () =>
        void work().then(
          (value) => over(() => resolve(value)),
          (error: unknown) => over(() => reject(error)),
        ),
    );
  });
}

/** A stream whose every step the process does. */
export async function* madeBy<T>(process: Process, stream: AsyncIterable<T>): AsyncGenerator<T> {
  const source = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await doneBy(process, () => source.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not waited for: it may hang, or be of a process that is dead.
    process.enter(() => void source.return?.()?.catch(() => undefined));
  }
}

/** A stream that comes from elsewhere, as the process reads it. */
export async function* readBy<T>(process: Process, stream: AsyncIterable<T>): AsyncGenerator<T> {
  const source = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await heardBy(process, source.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    void source.return?.()?.catch(() => undefined);
  }
}

/** The signal as the process notices it. */
export function noticedBy(process: Process, signal: AbortSignal): AbortSignal {
  const noticed = new AbortController();
  const onAbort = (): void => process.enter(() => noticed.abort(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return noticed.signal;
}
