// Looking for what a fault does, until it shows or that took too long.

import { RigError } from '../../base/errors.ts';
import type { Observation } from '../observation.ts';
import type { Site } from './fault.ts';

/** How long a fault may take until it shows, or until nothing of it is left to see, by the work clock. */
export const SHOWS_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 25;

export type Look = Pick<Observation, 'holds' | 'seen'>;

/**
 * Looks at least once. What is hidden is not looked for any longer while `isHidden` says that there
 * is somebody who may hide it, and nothing is once `isMoot` says that it is of no more interest. Throws `aborted` alone.
 */
export async function lookFor(
  { clock, signal, deadline }: Site,
  probe: () => Promise<Observation>,
  options: {
    readonly withinMs: number;
    readonly isHidden: () => boolean;
    readonly isMoot?: () => boolean;
  },
): Promise<Look> {
  const isOver = deadline(options.withinMs);
  for (;;) {
    signal.throwIfAborted();
    let found: Observation;
    try {
      found = await probe();
    } catch (error) {
      found = { holds: false, seen: RigError.from(error).message };
    }
    if (found.holds || isOver() || options.isMoot?.()) return found;
    if (found.hidden === true && options.isHidden()) return found;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
