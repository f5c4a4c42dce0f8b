// `rig run`: runs scenarios and tells how they ended.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Listr } from 'listr2';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { EXIT_MACHINE, exitCodeOf, worstOf } from '../rig/checks/judge.ts';
import { COMPOSE_FILE, REPORT_FILE } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { wrapped } from '../rig/report/text.ts';
import { type RunOptions, type RunResult, runScenario } from '../rig/run.ts';
import { onSystem, type Scenario } from '../rig/scenario.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { newRunId, openContainers } from './containers.ts';
import { explain } from './explain.ts';
import { catchInterrupt } from './interrupt.ts';
import { openKv } from './open-kv.ts';

interface RunFlags {
  readonly seed?: string;
  readonly duration?: string;
  readonly system?: string;
  readonly keep?: boolean;
  readonly keepOnFailure?: boolean;
  readonly out: string;
}

/** How one scenario ended: judged, or not at all because the rig or the machine failed. */
type Outcome =
  | { readonly scenario: Scenario; readonly result: RunResult }
  | { readonly scenario: Scenario; readonly error: RigError; readonly folder: string };

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run scenarios, each on a cluster of its own, and judge them')
    .argument('<scenario...>', 'names of scenarios, or all (rig scenarios lists them)')
    .option('--seed <number>', 'decides every random choice; drawn and printed when left out')
    .option('--duration <seconds>', 'of chaos: how long faults come and go, from 10s to 3600s; default 60s')
    .option(
      '--system <image>',
      'the daemon under test: an image that was built elsewhere, instead of these sources',
    )
    .option('--out <folder>', 'where the folders of the runs go', 'runs')
    .option('--keep', 'leave the clusters up, whatever comes out')
    .option('--keep-on-failure', 'leave a cluster up when its verdict is not valid')
    .addHelpText(
      'after',
      '\nExamples:\n  rig run all\n  rig run engine-leader-down --seed 7 --keep-on-failure',
    )
    .action(async (names: readonly string[], flags: RunFlags) => {
      const seed = flags.seed === undefined ? createSystemRandom().uint32() : parseSeed(flags.seed);
      const { system } = flags;
      const { duration } = flags;
      const durationMs = duration === undefined ? undefined : parseDuration(duration);
      const named = scenariosNamed(names, { seed, durationMs });
      if (durationMs !== undefined && named.every(({ plan }) => plan === undefined)) {
        throw new RigError('invalid', `${names.join(', ')} can't be given a duration`, {
          next: 'Leave --duration out; only chaos takes one.',
        });
      }
      const scenarios = system === undefined ? named : named.map((scenario) => onSystem(scenario, system));
      process.exitCode = await runAll(scenarios, seed, flags);
    });
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^[0-9]+$/.test(text) && seed < 2 ** 32) return seed;
  throw new RigError('invalid', `'${text}' is no seed`, { next: 'Give a whole number below 4294967296.' });
}

/** From 10 s to an hour, in milliseconds. */
function parseDuration(text: string): number {
  const seconds = Number(/^([0-9]{1,4})s?$/.exec(text)?.[1]);
  if (seconds >= 10 && seconds <= 3_600) return seconds * 1_000;
  throw new RigError('invalid', `'${text}' is no duration`, { next: 'Give 10s to 3600s.' });
}

async function runAll(scenarios: readonly Scenario[], seed: number, flags: RunFlags): Promise<number> {
  const clock = createSystemClock();
  const outcomes: Outcome[] = [];
  process.stdout.write(`seed ${seed}\n`);
  for (const { plan } of scenarios) if (plan !== undefined) process.stdout.write(`\n${plan.text}\n\n`);
  using interrupt = catchInterrupt(() =>
    process.stderr.write('\nstopping; press Ctrl-C again to leave it to the reaper\n'),
  );
  await using mode = await openContainers(clock, (what) => process.stdout.write(`${what}\n`), flags);

  const keep: RunOptions['keep'] = flags.keep ? 'always' : flags.keepOnFailure ? 'on-failure' : 'never';
  const common = { seed, clock, keep, signal: interrupt.signal, deploy: mode.deploy, openKv };
  const tasks = scenarios.map((scenario) => ({
    title: scenario.name,
    skip: () => interrupt.signal.aborted,
    task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
      const place = {
        folder: freeFolder({ scenario, seed, out: flags.out, nowMs: clock.nowMs() }),
        runId: newRunId(),
      };
      const onProgress = (what: string): void => {
        task.output = progressLines(what, process.stdout.columns);
      };
      try {
        const result = await runScenario({ ...common, ...place, scenario, onProgress });
        outcomes.push({ scenario, result });
        task.title = `${scenario.name}: ${result.verdict}, ${(result.elapsedMs / 1000).toFixed(1)} s`;
        if (result.verdict === 'valid') return;
      } catch (thrown) {
        outcomes.push({
          scenario,
          error: RigError.from(thrown, { code: 'machine' }),
          folder: place.folder,
        });
        task.title = `${scenario.name}: not judged`;
      }
      // Marks the task as failed; what there is to say stands in its title and in the summary.
      throw new RigError('conflict', task.title);
    },
  }));
  await new Listr(tasks, {
    exitOnError: false,
    renderer: process.stdout.isTTY ? 'default' : 'verbose',
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
    registerSignalListeners: false,
  }).run();
  return conclude(scenarios, outcomes);
}

/** What the renderers put before each line, at most: `[OUTPUT] `. */
const PREFIX_COLUMNS = 9;

/** Fitted into a terminal of so many columns; default 100. */
const progressLines = (what: string, columns = 100): string =>
  wrapped(what, { columns: Math.max(40, columns) - PREFIX_COLUMNS, indent: '  ', most: 3 }).join('\n');

/** `runs/<time>-<scenario>-<seed>`, with a number behind it if that is taken; the time is in UTC. */
function freeFolder(options: {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly out: string;
  readonly nowMs: number;
}): string {
  const { scenario, seed, out, nowMs } = options;
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const wanted = join(out, `${time}-${scenario.name}-${seed}`);
  let folder = wanted;
  for (let count = 2; existsSync(folder); count += 1) folder = `${wanted}-${count}`;
  return folder;
}

function conclude(scenarios: readonly Scenario[], outcomes: readonly Outcome[]): number {
  const results = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  process.stdout.write(`\n${summary(results, { columns: process.stdout.columns ?? 100 })}\n`);
  for (const { runId, folder } of results.filter(({ kept }) => kept)) {
    const file = join(folder, COMPOSE_FILE);
    process.stdout.write(
      `kept: docker compose -f ${file} ps; remove it with: npm run rig -- down --run ${runId}\n`,
    );
  }
  for (const { scenario, error, folder } of failures) {
    process.stderr.write(`rig: ${scenario.name}: ${explain(error)}\n`);
    const report = join(folder, REPORT_FILE);
    if (existsSync(report)) process.stderr.write(`  report of what was recorded: ${report}\n`);
  }
  const unrun = scenarios.length - outcomes.length;
  if (unrun > 0)
    process.stderr.write(`rig: interrupted; ${unrun} of ${scenarios.length} scenarios were not run\n`);
  if (failures.length > 0 || unrun > 0) return EXIT_MACHINE;
  return exitCodeOf(worstOf(results.map(({ verdict }) => verdict)));
}
