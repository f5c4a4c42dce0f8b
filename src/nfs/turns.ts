// One call after the other.

import { RigError } from '../base/errors.ts';

/** Runs one at a time, in the order of the calls: every step reads what the last one left. */
export function createTurns(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => undefined);
    return turn.catch((error: unknown) => {
      throw RigError.from(error, { code: 'io' });
    });
  };
}
