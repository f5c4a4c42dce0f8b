// From the record to the verdict: every check that was asked for, and the worst of them.

import type { Judgement, RecordedRun, Verdict } from '../history.ts';
import { CHECKS, type CheckName } from './catalogue.ts';
import { onQuietMachine } from './work-clock.ts';

export interface Judged {
  readonly verdict: Judgement;
  /** One for each check, in the order asked for. */
  readonly verdicts: readonly Verdict[];
}

/** One violation makes the whole invalid, one gap makes it unknown, and nothing asked is unknown, too. */
export function worstOf(verdicts: readonly Judgement[]): Judgement {
  if (verdicts.includes('invalid')) return 'invalid';
  if (verdicts.includes('unknown') || verdicts.length === 0) return 'unknown';
  return 'valid';
}

/**
 * What the machine alone excuses is unknown: the system was late, and was not let work, and nobody can tell which of
 * the two made it so.
 */
export function judge(run: RecordedRun, names: readonly CheckName[]): Judged {
  const quiet = onQuietMachine(run);
  const verdicts = names.map((name): Verdict => {
    // In simulated time nobody waits for a core.
    if (run.mode === 'simulated') return judgeBy(name, quiet);
    const verdict = judgeBy(name, run);
    if (verdict.verdict === 'invalid') return verdict;
    const otherwise = judgeBy(name, quiet);
    if (otherwise.verdict !== 'invalid') return verdict;
    return {
      ...otherwise,
      verdict: 'unknown',
      reason: `the machine was too slow to tell; on one that is not slow: ${otherwise.reason}`,
    };
  });
  return { verdict: worstOf(verdicts.map(({ verdict }) => verdict)), verdicts };
}

/** A check that throws has a bug, and has seen nothing: unknown, with the reason. */
function judgeBy(name: CheckName, run: RecordedRun): Verdict {
  try {
    return CHECKS[name](run);
  } catch (error) {
    return { check: name, verdict: 'unknown', reason: `the check itself failed: ${String(error)}` };
  }
}
