// Named places in the daemon where a test can make something happen, in the
// spirit of etcd's gofail. They are compiled in, and do nothing unless settings
// say so: COBALT_FAILPOINTS="engine/before-transact=sleep(3000)".

import type { Clock } from './clock.ts';
import { RigError } from './errors.ts';

/**
 * - `engine/before-transact`: the engine has decided and still believes that it
 *   leads; its transaction has not been sent.
 */
export const FAILPOINTS = ['engine/before-transact'] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** What happens at a failpoint: it is held up for so long. */
export interface FailpointAction {
  readonly sleepMs: number;
}

export type FailpointActions = Readonly<Partial<Record<Failpoint, FailpointAction>>>;

export interface Failpoints {
  /** Resolves at once when nothing is to happen here. */
  reach(name: Failpoint): Promise<void>;
}

/** Longer would look like a hang. */
const LONGEST_SLEEP_MS = 60_000;

export function createFailpoints(options: {
  readonly clock: Clock;
  readonly actions: FailpointActions;
}): Failpoints {
  return {
    reach: async (name) => {
      const action = options.actions[name];
      if (action !== undefined) await options.clock.sleep(action.sleepMs);
    },
  };
}

/** Reads `name=sleep(ms)`, separated by semicolons; throws `invalid` for anything else. */
export function parseFailpoints(text: string): FailpointActions {
  const entries = text.split(';').filter((entry) => entry.trim() !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name = '', milliseconds = ''] = /^\s*([a-z/-]+)=sleep\(([0-9]{1,6})\)\s*$/.exec(entry) ?? [];
      const known = FAILPOINTS.find((failpoint) => failpoint === name);
      const sleepMs = Number(milliseconds);
      if (known === undefined || sleepMs > LONGEST_SLEEP_MS) {
        throw new RigError('invalid', `'${entry}' is no failpoint`, {
          next: `Give <name>=sleep(<ms>), at most ${LONGEST_SLEEP_MS} ms; names: ${FAILPOINTS.join(', ')}.`,
        });
      }
      return [known, { sleepMs }];
    }),
  );
}
