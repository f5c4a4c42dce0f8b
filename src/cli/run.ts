// `rig run`: runs scenarios and tells how they ended.

import type { Command } from 'commander';
import { Listr } from 'listr2';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { openContainers } from '../cluster/containers.ts';
import { openKv } from '../cluster/open-kv.ts';
import { openProcesses } from '../cluster/processes.ts';
import { newRunId } from '../cluster/run-id.ts';
import { openShipping } from '../cluster/shipping.ts';
import { wrapped } from '../rig/report/text.ts';
import { type RunOptions, runScenario } from '../rig/run.ts';
import { onSystem, type Scenario } from '../rig/scenario.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { catchInterrupt } from './interrupt.ts';
import { tellShipped } from './logs.ts';
import { wholeSeconds } from './numbers.ts';
import { help } from './output.ts';
import { conclude, freeFolder, type Outcome } from './run-outcome.ts';
import { runSimulated } from './run-simulated.ts';

interface RunFlags {
  readonly seed?: string;
  readonly duration?: string;
  readonly mode: string;
  readonly seeds?: string;
  readonly system?: string;
  readonly etcdBinary?: string;
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
      'containers; process: etcd and daemons on this machine, without Docker; or simulated: everything in one process, in a time of its own',
      'containers',
    )
    .option(
      '--seeds <from..to>',
      'simulated: each of these seeds, on all cores; keeps the folders of those that fail',
    )
    .option('--duration <seconds>', 'of chaos: how long faults come and go, from 10s to 3600s; default 60s')
    .option(
      '--system <image or path>',
      'the daemon under test: an image that was built elsewhere, or for --mode process a checkout, instead of these sources',
    )
    .option('--etcd-binary <path>', "for --mode process: etcd's program; default: the first on the PATH")
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
      const mode = parseMode(flags);
      if (mode === 'simulated') {
        const seeds = flags.seeds === undefined ? { from: seed, to: seed } : parseSeeds(flags.seeds);
        process.exitCode = await runSimulated({ ...flags, names, seeds, durationMs });
        return;
      }
      const scenarios = system === undefined ? named : named.map((scenario) => onSystem(scenario, system));
      process.exitCode = await runAll(scenarios, { seed, mode, flags });
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

const MODES = ['containers', 'process', 'simulated'] as const;

/** Throws `invalid` for a mode that there is not, and for what a mode can't do. */
function parseMode(flags: RunFlags): (typeof MODES)[number] {
  const { seeds, system, etcdBinary } = flags;
  const mode = MODES.find((one) => one === flags.mode);
  if (mode === undefined) {
    throw new RigError('invalid', `there is no mode '${flags.mode}'`, { next: `Give ${MODES.join(', ')}.` });
  }
  const refuse = (isGiven: boolean, what: string, next: string): void => {
    if (isGiven) throw new RigError('invalid', what, { next });
  };
  const isKept = flags.keep === true || flags.keepOnFailure === true;
  refuse(seeds !== undefined && mode !== 'simulated', '--seeds are for --mode simulated', 'Give one --seed.');
  refuse(
    mode === 'simulated' && (system !== undefined || isKept),
    'a simulated cluster is of these sources, and never stays',
    'Leave out --system and --keep.',
  );
  refuse(mode === 'process' && isKept, 'a cluster of processes ends with its rig', 'Leave out --keep.');
  refuse(
    etcdBinary !== undefined && mode !== 'process',
    '--etcd-binary is for --mode process',
    'Leave it out.',
  );
  return mode;
}

/** From 10 s to an hour, in milliseconds. */
const parseDuration = wholeSeconds(10, 3_600);

async function runAll(
  scenarios: readonly Scenario[],
  options: { readonly seed: number; readonly mode: 'containers' | 'process'; readonly flags: RunFlags },
): Promise<number> {
  const { seed, flags } = options;
  const clock = createSystemClock();
  const outcomes: Outcome[] = [];
  const told = flags.json === true ? process.stderr : process.stdout;
  told.write(`seed ${seed}\n`);
  for (const { plan } of scenarios) if (plan !== undefined) told.write(`\n${plan.text}\n\n`);
  using interrupt = catchInterrupt(() =>
    process.stderr.write('\nstopping; press Ctrl-C again to leave it to the reaper\n'),
  );
  const tell = (what: string): void => void told.write(`${what}\n`);
  const isProcess = options.mode === 'process';
  await using mode = isProcess
    ? await openProcesses(clock, tell, flags)
    : await openContainers(clock, tell, flags);

  const keep: RunOptions['keep'] = flags.keep ? 'always' : flags.keepOnFailure ? 'on-failure' : 'never';
  const { deploy, machine } = mode;
  const inMode = { ...(isProcess && { mode: 'process' as const }), ...(machine && { machine }) };
  const shipping = openShipping(clock);
  const common = { seed, clock, keep, signal: interrupt.signal, deploy, openKv, ...inMode };
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
        const onLog = shipping.from(place.folder);
        const result = await runScenario({ ...common, ...place, scenario, onLog, onProgress });
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
  await shipping.end(tellShipped);
  return conclude(scenarios, outcomes, flags);
}

/** What the renderers put before each line, at most: `[OUTPUT] `. */
const PREFIX_COLUMNS = 9;

/** Fitted into a terminal of so many columns; default 100. */
const progressLines = (what: string, columns = 100): string =>
  wrapped(what, { columns: Math.max(40, columns) - PREFIX_COLUMNS, indent: '  ', most: 3 }).join('\n');
