// Whether a move that keeps failing is to be complained of, as a pure function. What passes by itself is, too, when
// it hasn't for a while: a move that gets nowhere keeps others from beginning, until the engine calls it off.

import { type ErrorCode, hasCode, type RigError } from '../../../base/errors.ts';

/** Failures before the volume is told. */
const TOLD_AFTER = 3;
/** How long a move may get nowhere, in silence, for reasons that pass. */
const PASSING_MS = 300_000;
/** What goes wrong is not for people to see to, as a rule. */
const PASSING: readonly ErrorCode[] = ['unavailable', 'timeout', 'aborted', 'conflict'];

/** How far an attempt has come. */
export type Stage = 'copies' | 'cutover';

/** Failures with no progress in between. */
export interface Trouble {
  /** As far as an attempt has come that failed. */
  readonly stage: Stage;
  /** When the first of them came up, on the monotonic clock. */
  readonly sinceMs: number;
  readonly failures: number;
  /** Those of the kind that doesn't pass by itself. */
  readonly graveFailures: number;
}

/** After one more failure. */
export function worsened(
  before: Trouble | null,
  now: { readonly cause: RigError; readonly stage: Stage; readonly nowMs: number },
): Trouble {
  // Copies go over by now, and what was wrong with them isn't any more.
  const known = before?.stage === 'copies' && now.stage === 'cutover' ? null : before;
  return {
    stage: known?.stage ?? now.stage,
    sinceMs: known?.sinceMs ?? now.nowMs,
    failures: (known?.failures ?? 0) + 1,
    graveFailures: (known?.graveFailures ?? 0) + (isPassing(now.cause) ? 0 : 1),
  };
}

export function isToBeTold(
  { sinceMs, failures, graveFailures }: Trouble,
  { cause, nowMs }: { readonly cause: RigError; readonly nowMs: number },
): boolean {
  if (!isPassing(cause)) return graveFailures >= TOLD_AFTER;
  return failures >= TOLD_AFTER && nowMs - sinceMs >= PASSING_MS;
}

export function isPassing(error: unknown): boolean {
  return hasCode(error, ...PASSING);
}
