// Calls that must not overlap, in the order in which they were made.

import { createTurns } from './turns.ts';

/** Runs each work after the one before has ended, however that ended. */
export function createSerial(): <T>(work: () => Promise<T>) => Promise<T> {
  const turns = createTurns(1);
  return (work) => turns.take(undefined, work);
}
