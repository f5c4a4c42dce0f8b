// `rig run`: runs scenarios and tells how they ended.

import type { Command } from 'commander';
import { Listr } from 'listr2';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { wrapped } from '../rig/report/text.ts';
import { type RunOptions, runScenario } from '../rig/run.ts';
import { onSystem, type Scenario } from '../rig/scenario.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { newRunId, openContainers } from './containers.ts';
import { catchInterrupt } from './interrupt.ts';
import { openKv } from './open-kv.ts';
import { help } from './output.ts';
import { conclude, freeFolder, type Outcome } from './run-outcome.ts';
import { runSimulated } from './run-simulated.ts';

interface RunFlags {
  readonly seed?: string;
  readonly duration?: string;
  readonly mode: string;
  readonly seeds?: string;
  readonly system?: string;
  readonly keep?: boolean;
  readonly keepOnFailure?: boolean;
  readonly out: string;
  readonly json?: boolean;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .argument('<scenario...>', 'names of scenarios, or all (rig scenarios lists them)')
    .option('--seed <number>', 'decides every random choice; drawn and printed when left out')
    .option(
      '--mode <mode>',
      'containers, or simulated: everything in one process, in a time of its own',
      'containers',
    )
    .option(
      '--seeds <from..to>',
      'simulated: each of these seeds, on all cores; keeps the folders of those that fail',
    )
    .option('--duration <seconds>', 'of chaos: how long faults come and go, from 10s to 3600s; default 60s')
    .option(
      '--system <image>',
      'the daemon under test: an image that was built elsewhere, instead of these sources',
    )
    .option('--out <folder>', 'where the folders of the runs go', 'runs')
    .option('--keep', 'leave the clusters up, whatever comes out')
    .option('--keep-on-failure', 'leave a cluster up when its verdict is not valid')
    .option('--json', 'print what came out as JSON; what goes on meanwhile goes to stderr')
    .addHelpText(
      'after',
      help(
        [
          'rig run all',
          'rig run engine-leader-down --seed 7 --keep-on-failure',
          'rig run chaos --mode simulated --seeds 1..1000',
        ],
        '[verdict.json of each, with "folder" and, where the cluster was kept, "runId"]',
      ),
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
      if (flags.seed !== undefined && flags.seeds !== undefined) {
        throw new RigError('invalid', '--seed and --seeds each say what is drawn', {
          next: 'Give one of them.',
        });
      }
      if (parseMode(flags) === 'simulated') {
        const seeds = flags.seeds === undefined ? { from: seed, to: seed } : parseSeeds(flags.seeds);
        process.exitCode = await runSimulated({ ...flags, names, seeds, durationMs });
        return;
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

function parseSeeds(text: string): { readonly from: number; readonly to: number } {
  const [from = '', to = '', ...rest] = text.split('..');
  const seeds = { from: parseSeed(from), to: parseSeed(to) };
  if (seeds.from <= seeds.to && rest.length === 0) return seeds;
  throw new RigError('invalid', `'${text}' are no seeds`, { next: 'Give the first and the last: 1..1000.' });
}

/** Throws `invalid` for a mode that there is not, and for what a mode can't do. */
function parseMode(flags: RunFlags): 'containers' | 'simulated' {
  const { mode, seeds, system, keep, keepOnFailure } = flags;
  if (mode !== 'containers' && mode !== 'simulated') {
    throw new RigError('invalid', `there is no mode '${mode}'`, { next: 'Give containers or simulated.' });
  }
  if (mode === 'containers' && seeds !== undefined) {
    throw new RigError('invalid', '--seeds are for --mode simulated', { next: 'Give one --seed.' });
  }
  if (mode === 'simulated' && (system !== undefined || keep === true || keepOnFailure === true)) {
    throw new RigError('invalid', 'a simulated cluster is of these sources, and never stays', {
      next: 'Leave out --system and --keep.',
    });
  }
  return mode;
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
  const told = flags.json === true ? process.stderr : process.stdout;
  told.write(`seed ${seed}\n`);
  for (const { plan } of scenarios) if (plan !== undefined) told.write(`\n${plan.text}\n\n`);
  using interrupt = catchInterrupt(() =>
    process.stderr.write('\nstopping; press Ctrl-C again to leave it to the reaper\n'),
  );
  await using mode = await openContainers(clock, (what) => told.write(`${what}\n`), flags);

  const keep: RunOptions['keep'] = flags.keep ? 'always' : flags.keepOnFailure ? 'on-failure' : 'never';
  const { deploy, machine } = mode;
  const common = { seed, clock, keep, signal: interrupt.signal, deploy, openKv, ...(machine && { machine }) };
  const tasks = scenarios.map((scenario) => ({
    title: scenario.name,
    skip: () => interrupt.signal.aborted,
    task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
      const place = {
        folder: freeFolder({ scenario: scenario.name, seed, out: flags.out, nowMs: clock.nowMs() }),
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
    renderer: flags.json === true ? 'silent' : process.stdout.isTTY ? 'default' : 'verbose',
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
    registerSignalListeners: false,
  }).run();
  return conclude(scenarios, outcomes, flags);
}

/** What the renderers put before each line, at most: `[OUTPUT] `. */
const PREFIX_COLUMNS = 9;

/** Fitted into a terminal of so many columns; default 100. */
const progressLines = (what: string, columns = 100): string =>
  wrapped(what, { columns: Math.max(40, columns) - PREFIX_COLUMNS, indent: '  ', most: 3 }).join('\n');
