// Work that only the leader does, beside planning: it can neither hold up the plans nor end the term.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { backOff } from '../../base/retry.ts';
import type { Leadership } from '../../kv/election.ts';

/** Should end soon after `leadership.lost`. One that fails before is started again, after a while. */
export type SideTask = (leadership: Leadership) => Promise<void>;

const RESTART = { baseMs: 500, capMs: 30_000 };
/** One that ran so long was well; its next failure counts as the first. */
const STEADY_MS = 60_000;

/** Resolves when the task has, or when leadership is lost and it failed. Never rejects. */
export async function runSideTask(
  task: SideTask,
  options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly leadership: Leadership;
  },
): Promise<void> {
  const { clock, random, log, leadership } = options;
  for (let failures = 0; !leadership.lost.aborted; failures += 1) {
    const startedMs = clock.monotonicMs();
    try {
      await task(leadership);
      return;
    } catch (cause) {
      if (leadership.lost.aborted) return;
      log.error('engine.side-task-failed', { term: leadership.term, cause });
    }
    if (clock.monotonicMs() - startedMs >= STEADY_MS) failures = 0;
    await backOff({ clock, random, signal: leadership.lost, attempt: failures, ...RESTART });
  }
}
