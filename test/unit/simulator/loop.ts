// The event loop of a test: jest's own timers may be set in it at any time, so that nobody watches for them.

import { catchUnhandled, whenIdle } from '../../../src/base/event-loop.ts';
import type { EventLoop } from '../../../src/simulator/drive.ts';

export const LOOP: EventLoop = {
  whenIdle,
  catchUnhandled,
  watchForReal: () => ({ found: () => undefined, [Symbol.dispose]: () => undefined }),
};
