// What cutovers that came to nothing have cost the clients of each volume: how long the next one may take, and
// for how long they have the volume back before that. Kept in mind from one move to the next: it is the
// volume's clients who wait, wherever it is sent.

import type { Clock } from '../../../base/clock.ts';
import { RigError } from '../../../base/errors.ts';

/** How long nobody has access before the cutover is given up. It doubles with each that was. */
const FIRST_LIMIT_MS = 30_000;
const LONGEST_LIMIT_MS = 120_000;
/** Cutovers that took too long before the move is complained of; from then on each is. */
const MOST_TOO_LONG = 3;
/** At least as long as the cutover took; twice as long with each further one that took too long. */
const LONGEST_REST_MS = 1_800_000;
/** A volume that has been in use for so long since begins anew. */
const MEMORY_MS = 3_600_000;

export interface Outages {
  /** How long the volume's next cutover may take. */
  limitMs(id: string): number;
  /**
   * A cutover of the volume took longer than its limit. Answers with the error that it ends with: `timeout`;
   * `unsupported` when there have been so many that people must hear of it.
   */
  tooLong(id: string, cause: unknown): RigError;
  /** A cutover that began at `startedMs` (monotonic clock) was given up, for whatever reason. */
  givenUp(id: string, startedMs: number): void;
  /**
   * Resolves when clients have had the volume for long enough since. Rejects with `unsupported` where that is more
   * than a move may wait for, which would keep others from beginning; and as the signal does.
   */
  rest(id: string, signal: AbortSignal): Promise<void>;
  /** It has been handed over. */
  forget(id: string): void;
}

interface Outage {
  /** Cutovers that took too long, one after the other. */
  count: number;
  /** Once there were so many that people must hear of it. */
  complaint: RigError | undefined;
  restUntilMs: number;
}

export function createOutages(clock: Clock): Outages {
  const outages = new Map<string, Outage>();
  const find = (id: string): Outage => {
    for (const [each, { restUntilMs }] of outages) {
      if (clock.monotonicMs() - restUntilMs >= MEMORY_MS) outages.delete(each);
    }
    return outages.get(id) ?? { count: 0, complaint: undefined, restUntilMs: clock.monotonicMs() };
  };
  const limitMs = (id: string): number =>
    Math.min(LONGEST_LIMIT_MS, FIRST_LIMIT_MS * 2 ** Math.min(find(id).count, 10));

  return {
    limitMs,
    tooLong: (id, cause) => {
      const longMs = limitMs(id);
      const outage = find(id);
      outage.count += 1;
      outages.set(id, outage);
      const what = `the cutover of volume ${id} took longer than ${longMs} ms`;
      if (outage.count < MOST_TOO_LONG) return new RigError('timeout', what, { cause });
      const before = outage.count - 1;
      outage.complaint = new RigError(
        'unsupported',
        `${what}, as did ${before} before it: clients have it for a while before the next one`,
        { cause },
      );
      return outage.complaint;
    },
    givenUp: (id, startedMs) => {
      const outage = find(id);
      const nowMs = clock.monotonicMs();
      const restMs = (nowMs - startedMs) * 2 ** Math.min(Math.max(0, outage.count - 1), 10);
      outage.restUntilMs = nowMs + Math.min(LONGEST_REST_MS, restMs);
      outages.set(id, outage);
    },
    rest: async (id, signal) => {
      const { complaint, restUntilMs } = find(id);
      const restMs = restUntilMs - clock.monotonicMs();
      if (restMs <= 0) return;
      if (complaint !== undefined) throw complaint;
      await clock.sleep(restMs, signal);
    },
    forget: (id) => void outages.delete(id),
  };
}
