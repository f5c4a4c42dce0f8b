// What a run's reports are made of, and the shape of verdict.json.

import { exitCodeOf } from '../checks/exit-codes.ts';
import type { Judgement, RunMode, Verdict } from '../history.ts';
import type { Glance } from './glance.ts';

/** A judged scenario. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly seed: number;
  /** How long it was told to last; of one that is drawn from its seed. */
  readonly durationMs?: number | undefined;
  /** The seed doesn't draw it: what was run is in plan.json. Default: false. */
  readonly isGiven?: boolean | undefined;
  /** Undefined: containers. */
  readonly mode?: RunMode | undefined;
  /** The run's folder. */
  readonly folder: string;
  readonly elapsedMs: number;
  readonly verdict: Judgement;
  readonly verdicts: readonly Verdict[];
  /** What the summary says besides; left out where nobody looked. */
  readonly glance?: Glance;
}

/** verdict.json. */
export interface VerdictFile {
  /** Grows when a field changes its meaning. */
  readonly formatVersion: 1;
  readonly scenario: string;
  readonly seed: number;
  readonly verdict: Judgement;
  /** Of `rig run` and `rig check`: 0 valid, 1 invalid, 2 unknown. */
  readonly exitCode: number;
  readonly elapsedMs: number;
  /** How to do it again. */
  readonly command: string;
  readonly checks: readonly Verdict[];
  /** What applications saw, a sentence each; absent where there was nothing to see. Nothing is judged by it. */
  readonly observations?: readonly string[];
}

/** The command that repeats a scenario with its seed, or a run from its folder. */
export const commandOf = ({
  scenario,
  seed,
  durationMs,
  mode,
  isGiven,
  folder,
}: Pick<ScenarioResult, 'scenario' | 'seed' | 'durationMs' | 'mode' | 'isGiven' | 'folder'>): string => {
  if (isGiven === true) return `npm run rig -- replay ${folder}`;
  const lasts = durationMs === undefined ? '' : ` --duration ${durationMs / 1000}s`;
  return `npm run rig -- run ${scenario} --seed ${seed}${lasts}${mode === undefined ? '' : ` --mode ${mode}`}`;
};

export function verdictFile(result: ScenarioResult): VerdictFile {
  const observations = result.glance?.mounts ?? [];
  return {
    formatVersion: 1,
    scenario: result.scenario,
    seed: result.seed,
    verdict: result.verdict,
    exitCode: exitCodeOf(result.verdict),
    elapsedMs: Math.round(result.elapsedMs),
    command: commandOf(result),
    checks: result.verdicts,
    ...(observations.length > 0 && { observations }),
  };
}
