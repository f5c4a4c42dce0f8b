// One trial: a run of a system, clean or with a planted bug, and whether it ended as it must.

import { RigError } from '../../src/base/errors.ts';
import { EXIT_MACHINE } from '../../src/rig/checks/exit-codes.ts';
import type { Judgement, Verdict } from '../../src/rig/history.ts';
import type { PlantedBug } from './bug.ts';

/** What a trial needs of its surroundings. */
export interface Laboratory {
  /** Null: the system as it is. */
  run(run: string, bug: PlantedBug | null): Promise<Finding>;
  /** Milliseconds. */
  now(): number;
}

export interface Finding {
  readonly verdict: Judgement;
  readonly verdicts: readonly Verdict[];
  /** What else there is to tell, such as in how many runs. */
  readonly note?: string;
}

export interface Trial {
  /** Null: of the system as it is. */
  readonly bug: PlantedBug | null;
  readonly run: string;
  /** `failed`: the rig or the machine did, and nothing is known. */
  readonly outcome: 'passed' | 'missed' | 'failed';
  /** What was found, in a line. */
  readonly told: string;
  /** The check's own words, of a bug that was caught. */
  readonly evidence?: string | undefined;
  readonly elapsedMs: number;
}

/** Each bug after the clean system in the same run, which is made once for all of them. */
export async function* tryAll(bugs: readonly PlantedBug[], laboratory: Laboratory): AsyncGenerator<Trial> {
  const runs = new Set(bugs.map(({ run }) => run));
  for (const run of runs) {
    yield await tryOne({ bug: null, run }, laboratory);
    for (const bug of bugs.filter((each) => each.run === run)) yield await tryOne({ bug, run }, laboratory);
  }
}

async function tryOne(subject: Pick<Trial, 'bug' | 'run'>, laboratory: Laboratory): Promise<Trial> {
  const startedMs = laboratory.now();
  const ended = (found: Pick<Trial, 'outcome' | 'told' | 'evidence'>): Trial => ({
    ...subject,
    ...found,
    elapsedMs: laboratory.now() - startedMs,
  });
  try {
    return ended(judged(await laboratory.run(subject.run, subject.bug), subject.bug));
  } catch (error) {
    const { code, message } = RigError.from(error, { code: 'machine' });
    // Nobody wants to hear of the rest.
    if (code === 'aborted') throw error;
    return ended({ outcome: 'failed', told: message });
  }
}

function judged(
  { verdict, verdicts, note }: Finding,
  bug: PlantedBug | null,
): Pick<Trial, 'outcome' | 'told' | 'evidence'> {
  const named = (judgement: Judgement): string =>
    verdicts
      .filter((each) => each.verdict === judgement)
      .map(({ check }) => check)
      .join(', ');
  if (bug === null) {
    if (verdict === 'valid') return { outcome: 'passed', told: 'valid' };
    return { outcome: 'missed', told: `${verdict}: ${named(verdict)}` };
  }
  const catching = verdicts.find(({ check }) => check === bug.caughtBy);
  if (verdict === 'invalid' && catching?.verdict === 'invalid') {
    const told = note === undefined ? bug.caughtBy : `${bug.caughtBy} ${note}`;
    return { outcome: 'passed', told, evidence: catching.reason };
  }
  const instead = verdict === 'valid' ? 'valid' : `${verdict} by ${named(verdict)}`;
  return { outcome: 'missed', told: `not by ${bug.caughtBy}: ${instead}` };
}

/** 0: every bug was caught, and nothing was found without one. */
export function exitCodeOfTrials(trials: readonly Trial[]): number {
  if (trials.some(({ outcome }) => outcome === 'failed')) return EXIT_MACHINE;
  return trials.every(({ outcome }) => outcome === 'passed') ? 0 : 1;
}
