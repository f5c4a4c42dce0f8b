// Lets simulated time pass while something is done in it.

import { RigError } from '../base/errors.ts';
import type { Queue } from './queue.ts';

/** The thread's own event loop (base/event-loop.ts). */
export interface EventLoop {
  /** Calls back when no microtask is left. */
  readonly whenIdle: (callback: () => void) => void;
  /** Notices what isn't simulated. */
  readonly watchForReal: () => Disposable & { found(): string | undefined };
  /** Told of rejections that nobody handles. */
  readonly catchUnhandled: (callback: (reason: unknown) => void) => Disposable;
}

/**
 * Takes one event after the other, each when all that follows from the one before has run, until the work is
 * done. Rejects as the work does; with `internal` when nothing is left that could happen although the work is
 * not done, and when something real took part: then nobody knows what a seed means.
 */
export async function drive<T>(queue: Queue, loop: EventLoop, work: () => Promise<T>): Promise<T> {
  using real = loop.watchForReal();
  const failure = Promise.withResolvers<never>();
  using _unhandled = loop.catchUnhandled((reason) => {
    // A process of the cluster crashes of it; anybody else's is a bug of ours.
    if (queue.doer === undefined) failure.reject(reason);
    else queue.doer.crash(reason);
  });
  const done = work();
  await Promise.race([events(queue, loop, done), failure.promise]);
  const found = real.found();
  if (found !== undefined)
    throw new RigError('internal', `something real took part in a simulation: ${found}`);
  return done;
}

/** A turn of Node's event loop costs about as much as an event. */
const EVENTS_A_TURN = 100;

function events(queue: Queue, { whenIdle }: EventLoop, done: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDone = false;
    let left = 0;
    const end = (): void => {
      isDone = true;
    };
    done.then(end, end);
    const step = (): void => {
      const event = isDone ? undefined : queue.take();
      if (isDone) resolve();
      else if (event === undefined) reject(new RigError('internal', 'the simulation stands still'));
      else {
        event();
        left -= 1;
        if (left === 0) begin();
      }
    };
    // Each waits for all that follows from the one before; together they take one turn of the event loop.
    const begin = (): void => {
      left = EVENTS_A_TURN;
      for (let count = 0; count < EVENTS_A_TURN; count += 1) whenIdle(step);
    };
    begin();
  });
}
