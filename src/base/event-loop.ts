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

/** Who called whoever calls this. */
function whence(): string {
  const at = { stack: '' };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 10;
  Error.captureStackTrace(at);
  Error.stackTraceLimit = stackTraceLimit;
  return at.stack.split('\n').slice(3, 9).join(' <- ');
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
      if (found === undefined && !OWN.has(type) && isConcerned()) found = `${type} ${whence()}`;
    },
  };
  const hook = createHook(options).enable();
  return { found: () => found, [Symbol.dispose]: () => void hook.disable() };
}

/**
 * Errors have no stack until it is disposed of. Where failures are daily bread (a call that times out, a wait that
 * is given up) and nobody reads it, to make it takes longer than the rest.
 */
export function withoutStacks(): Disposable {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return {
    [Symbol.dispose]: () => {
      Error.stackTraceLimit = stackTraceLimit;
    },
  };
}

/** Told of promises that were rejected and that nobody handles, instead of the thread's end, until it is disposed of. */
export function catchUnhandled(callback: (reason: unknown) => void): Disposable {
  process.on('unhandledRejection', callback);
  return { [Symbol.dispose]: () => void process.off('unhandledRejection', callback) };
}
