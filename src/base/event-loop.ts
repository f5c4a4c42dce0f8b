// The real event loop, as whoever owns a time of its own needs it: to know when
// nothing is left to run, and that nothing real takes part.

import { createHook } from 'node:async_hooks';

/**
 * Calls back when no tick and no microtask is left: Node runs all of them to their end between two
 * immediates. What waits for anything real (a timer, a socket) may still come later: see {@link watchForReal}.
 */
export const whenIdle = (callback: () => void): void => void setImmediate(callback);

/** What {@link whenIdle} itself takes, and what is at its end by then. */
const OWN: ReadonlySet<string> = new Set(['Immediate', 'TickObject', 'PROMISE', 'Microtask']);

export interface RealWatch extends Disposable {
  /** The first thing that was begun whose end the operating system decides; undefined while there is none. */
  found(): string | undefined;
}

/**
 * Notices timers, sockets, requests for files and the like, in this thread, until it is disposed of. `isConcerned`: whether
 * what begins right now is anybody's whom it is to notice; default: it is.
 */
export function watchForReal(isConcerned: () => boolean = () => true): RealWatch {
  let found: string | undefined;
  const options = {
    // Hooks for promises would cost more than all the rest.
    trackPromises: false,
    init: (_id: number, type: string): void => {
      if (!OWN.has(type) && isConcerned())
        found ??= `${type} ${new Error().stack?.split('\n').slice(2, 8).join(' <- ') ?? ''}`;
    },
  };
  const hook = createHook(options).enable();
  return { found: () => found, [Symbol.dispose]: () => void hook.disable() };
}

/** Told of promises that were rejected and that nobody handles, instead of the thread's end, until it is disposed of. */
export function catchUnhandled(callback: (reason: unknown) => void): Disposable {
  process.on('unhandledRejection', callback);
  return { [Symbol.dispose]: () => void process.off('unhandledRejection', callback) };
}
