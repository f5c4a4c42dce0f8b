// The trials of `rig shrink`: candidates, simulated on all cores, until one fails as the run did.

import { join } from 'node:path';
import type { Verdict } from '../rig/history.ts';
import type { GivenPlan } from '../rig/shrink/given.ts';
import { isSameFailure } from '../rig/shrink/same-failure.ts';
import type { SimulationPool } from './simulation-pool.ts';

/** What is tried: a plan, and the seed of all other chance. */
export interface Candidate {
  readonly seed: number;
  readonly given: GivenPlan;
}

export interface Trials {
  /** So far. */
  readonly tried: number;
  /** Why no more are made; undefined while they are. */
  readonly ended: 'tries' | 'time' | 'interrupt' | undefined;
  /** In their order, whatever is ready first. */
  firstFailing(candidates: readonly Candidate[]): Promise<Candidate | undefined>;
}

export function createTrials(options: {
  readonly pool: SimulationPool;
  readonly scenario: string;
  /** What has to be found again. */
  readonly failure: Verdict;
  /** Where records would be, if any were kept. */
  readonly scratch: string;
  readonly tries: number;
  readonly isOver: () => 'time' | 'interrupt' | undefined;
}): Trials {
  const { pool, scenario, failure, scratch, tries } = options;
  /** Nobody tries twice what is known not to fail. */
  const known = new Set<string>();
  let tried = 0;
  let ended: Trials['ended'];

  const fails = async (thread: number, { seed, given }: Candidate): Promise<boolean> => {
    const folder = join(scratch, String(thread));
    try {
      const run = { scenario, seed, durationMs: undefined, given, folder, keepsRecord: 'never' } as const;
      const { result } = await pool.run(thread, run);
      return result.verdicts.some((verdict) => isSameFailure(failure, verdict));
    } catch {
      // Half a script may make no sense at all.
      return false;
    }
  };

  return {
    get tried() {
      return tried;
    },
    get ended() {
      return ended;
    },
    firstFailing: async (candidates) => {
      const fresh = candidates.filter((candidate) => !known.has(JSON.stringify(candidate)));
      for (let from = 0; from < fresh.length; from += pool.size) {
        ended ??= options.isOver() ?? (tried >= tries ? 'tries' : undefined);
        if (ended !== undefined) return undefined;
        const batch = fresh.slice(from, from + Math.min(pool.size, tries - tried));
        const outcomes = await Promise.all(batch.map((candidate, thread) => fails(thread, candidate)));
        const found = outcomes.indexOf(true);
        // What was tried behind it doesn't count: so the number of cores decides nothing.
        const counted = found < 0 ? batch : batch.slice(0, found + 1);
        tried += counted.length;
        for (const candidate of found < 0 ? batch : batch.slice(0, found))
          known.add(JSON.stringify(candidate));
        if (found >= 0) return batch[found];
      }
      return undefined;
    },
  };
}
