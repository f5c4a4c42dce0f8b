// Trials in simulated runs, with several seeds each: the sources with a bug run as they are, without any image.

import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { abortError, type Clock } from '../../src/base/clock.ts';
import { RigError } from '../../src/base/errors.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { EXIT_MACHINE } from '../../src/rig/checks/exit-codes.ts';
import { worstOf } from '../../src/rig/checks/judge.ts';
import type { Judgement } from '../../src/rig/history.ts';
import { VERDICT_FILE } from '../../src/rig/record-files.ts';
import { type PlantedBug, plantedRun } from './bug.ts';
import { plant } from './sources.ts';
import type { Finding, Laboratory } from './trial.ts';

export function openSimulatedLaboratory(options: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where the folders of runs that were not valid go. */
  readonly out: string;
  /** Of each trial, so many from the run's own on. */
  readonly seeds: number;
}): Laboratory & AsyncDisposable {
  const { clock, signal } = options;
  const run: Laboratory['run'] = async (text, bug) => {
    if (signal.aborted) throw abortError(signal);
    if (bug === null) return simulated(ROOT_FOLDER, text, { ...options, bug });
    using planted = plant(bug);
    symlinkSync(join(ROOT_FOLDER, 'node_modules'), join(planted.root, 'node_modules'));
    return await simulated(planted.root, text, { ...options, bug });
  };
  return { run, now: () => clock.monotonicMs(), [Symbol.asyncDispose]: async () => undefined };
}

async function simulated(
  root: string,
  text: string,
  {
    bug,
    out,
    seeds,
    signal,
  }: {
    readonly bug: PlantedBug | null;
    readonly out: string;
    readonly seeds: number;
    readonly signal: AbortSignal;
  },
): Promise<Finding> {
  const { scenario, seed } = plantedRun(text);
  const duration = /--duration \S+/.exec(text)?.[0].split(' ') ?? [];
  const folder = join(out, `${bug?.name ?? 'clean'}-${scenario.name}`);
  const flags = [
    '--mode',
    'simulated',
    '--seeds',
    `${seed}..${seed + seeds - 1}`,
    ...duration,
    '--out',
    folder,
  ];
  const { exitCode, stderr } = await execa(
    process.execPath,
    [join(root, 'src/cli/main.ts'), 'run', scenario.name, ...flags],
    { reject: false, cancelSignal: signal },
  );
  if (signal.aborted) throw abortError(signal);
  if (exitCode === EXIT_MACHINE || exitCode === undefined) throw new RigError('machine', stderr.trim());
  const found = verdictsIn(folder);
  const catching = found.filter(({ verdicts }) =>
    verdicts.some(({ check, verdict }) => check === bug?.caughtBy && verdict === 'invalid'),
  );
  const worst = worstOf(found.map(({ verdict }) => verdict));
  if (bug === null)
    return { verdict: ofCleanSystem(found, seeds), verdicts: found.flatMap((one) => one.verdicts) };
  const shown = catching[0] ??
    found.find(({ verdict }) => verdict === worst) ?? { verdict: 'valid', verdicts: [] };
  return { ...shown, note: `in ${catching.length} of ${seeds} seeds` };
}

/**
 * Of runs without a bug, from those that were not valid: none may accuse it. That a seed shows too little to judge by is no
 * accusation; that all do is no acquittal.
 */
export function ofCleanSystem(notValid: readonly Pick<Finding, 'verdict'>[], seeds: number): Judgement {
  if (notValid.some(({ verdict }) => verdict === 'invalid')) return 'invalid';
  return notValid.length < seeds ? 'valid' : 'unknown';
}

/** Of the runs that were not valid: the others leave nothing. */
function verdictsIn(folder: string): readonly Finding[] {
  const runs = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return runs.map(({ name }) => {
    const { verdict, checks } = JSON.parse(readFileSync(join(folder, name, VERDICT_FILE), 'utf8')) as {
      readonly verdict: Finding['verdict'];
      readonly checks: Finding['verdicts'];
    };
    return { verdict, verdicts: checks };
  });
}
