// `rig run`: runs scenarios and tells how they ended.

import { join } from 'node:path';
import type { Command } from 'commander';
import { Listr } from 'listr2';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { EXIT_MACHINE, exitCodeOf, worstOf } from '../rig/checks/judge.ts';
import { COMPOSE_FILE } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { type RunOptions, type RunResult, runScenario } from '../rig/run.ts';
import type { Scenario } from '../rig/scenario.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { newRunId, openContainers, openKv } from './containers.ts';
import { catchInterrupt } from './interrupt.ts';

interface RunFlags {
  readonly seed?: string;
  readonly keep?: boolean;
  readonly keepOnFailure?: boolean;
  readonly out: string;
}

/** How one scenario ended: judged, or not at all because the rig or the machine failed. */
type Outcome =
  | { readonly scenario: Scenario; readonly result: RunResult }
  | { readonly scenario: Scenario; readonly error: RigError };

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run scenarios, each on a cluster of its own, and judge them')
    .argument('<scenario...>', 'names of scenarios, or all (rig scenarios lists them)')
    .option('--seed <number>', 'decides every random choice; drawn and printed when left out')
    .option('--out <folder>', 'where the folders of the runs go', 'runs')
    .option('--keep', 'leave the clusters up, whatever comes out')
    .option('--keep-on-failure', 'leave a cluster up when its verdict is not valid')
    .addHelpText(
      'after',
      '\nExamples:\n  rig run all\n  rig run engine-leader-down --seed 7 --keep-on-failure',
    )
    .action(async (names: readonly string[], flags: RunFlags) => {
      const scenarios = scenariosNamed(names);
      const seed = flags.seed === undefined ? createSystemRandom().uint32() : parseSeed(flags.seed);
      process.exitCode = await runAll(scenarios, seed, flags);
    });
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^[0-9]+$/.test(text) && seed < 2 ** 32) return seed;
  throw new RigError('invalid', `'${text}' is no seed`, { next: 'Give a whole number below 4294967296.' });
}

async function runAll(scenarios: readonly Scenario[], seed: number, flags: RunFlags): Promise<number> {
  const clock = createSystemClock();
  const outcomes: Outcome[] = [];
  process.stdout.write(`seed ${seed}\n`);
  using interrupt = catchInterrupt(() =>
    process.stderr.write('\nstopping; press Ctrl-C again to leave it to the reaper\n'),
  );
  await using mode = await openContainers(clock, (what) => process.stdout.write(`${what}\n`));

  const keep: RunOptions['keep'] = flags.keep ? 'always' : flags.keepOnFailure ? 'on-failure' : 'never';
  const common = { seed, clock, keep, signal: interrupt.signal, deploy: mode.deploy, openKv };
  const tasks = scenarios.map((scenario) => ({
    title: scenario.name,
    skip: () => interrupt.signal.aborted,
    task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
      const place = { folder: folderOf(scenario, seed, flags.out), runId: newRunId() };
      const onProgress = (what: string): void => {
        task.output = what;
      };
      try {
        const result = await runScenario({ ...common, ...place, scenario, onProgress });
        outcomes.push({ scenario, result });
        task.title = `${scenario.name}: ${result.verdict}, ${(result.elapsedMs / 1000).toFixed(1)} s`;
        if (result.verdict !== 'valid') throw new RigError('conflict', `the verdict is ${result.verdict}`);
      } catch (thrown) {
        const error = RigError.from(thrown, { code: 'machine' });
        if (outcomes.at(-1)?.scenario !== scenario) outcomes.push({ scenario, error });
        throw error;
      }
    },
  }));
  await new Listr(tasks, {
    exitOnError: false,
    renderer: process.stdout.isTTY ? 'default' : 'verbose',
    registerSignalListeners: false,
  }).run();
  return conclude(outcomes);
}

/** `runs/<time>-<scenario>-<seed>`; the time sorts, and is in UTC. */
function folderOf(scenario: Scenario, seed: number, out: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return join(out, `${time}-${scenario.name}-${seed}`);
}

function conclude(outcomes: readonly Outcome[]): number {
  const results = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  process.stdout.write(`\n${summary(results, { columns: process.stdout.columns ?? 100 })}\n`);
  for (const { runId, folder } of results.filter(({ kept }) => kept)) {
    process.stdout.write(
      `kept: docker compose -f ${join(folder, COMPOSE_FILE)} ps; remove it with: npm run rig -- down --run ${runId}\n`,
    );
  }
  for (const { scenario, error } of failures) {
    process.stderr.write(`rig: ${scenario.name}: ${error.message}${error.next ? `; ${error.next}` : ''}\n`);
  }
  if (failures.length > 0 || results.length === 0) return EXIT_MACHINE;
  return exitCodeOf(worstOf(results.map(({ verdict }) => verdict)));
}
