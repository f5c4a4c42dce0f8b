// `rig shrink`: the smallest experiment that still fails as a run did.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Clock, createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { exitCodeOf } from '../rig/checks/exit-codes.ts';
import type { RecordedRun, Verdict } from '../rig/history.ts';
import { readRecordedRun } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { type GivenPlan, scenarioOf } from '../rig/shrink/given.ts';
import { faultSteps, partPasses } from '../rig/shrink/part.ts';
import { type Pass, reduce } from '../rig/shrink/reduce.ts';
import { isSameFailure } from '../rig/shrink/same-failure.ts';
import { PLAN_PASSES } from '../rig/shrink/smaller-plan.ts';
import { catchInterrupt } from './interrupt.ts';
import { judgedRun } from './judged-run.ts';
import { wholeNumber } from './numbers.ts';
import { help, printJson, printLine } from './output.ts';
import { readPlan } from './read-plan.ts';
import { freeName } from './run-outcome.ts';
import { type Candidate, createTrials, type Trials } from './shrink-trials.ts';
import { openPool, type SimulationPool } from './simulation-pool.ts';

const DEFAULT_TRIES = 400;
const DEFAULT_WITHIN_S = 120;
/** A bug that needs luck may need another one where there is less of everything. */
const SEEDS_EACH = 2;
const SEEDS = 2 ** 32;

interface Flags {
  readonly check?: string;
  readonly tries: number;
  readonly within: number;
  readonly json?: boolean;
}

export function registerShrink(program: Command): void {
  program
    .command('shrink')
    .argument('<run>', 'folder of the run')
    .option('--check <name>', 'the check that has to fail; default: the first that did')
    .option(
      '--tries <number>',
      'at most so many runs',
      wholeNumber('number of runs', 1, 100_000),
      DEFAULT_TRIES,
    )
    .option('--json', 'print what came out as JSON')
    .option(
      '--within <seconds>',
      'no new run after so long',
      wholeNumber('number of seconds', 1, 86_400),
      DEFAULT_WITHIN_S,
    )
    .addHelpText(
      'after',
      help(
        ['rig shrink runs/20260101-120000-chaos-7'],
        '{"fails": whether it does again, "check", "folder", "before": {"faults", "calls"}, "after", "tried"}',
        'Exits with 1 when the shrunk run fails, as that run does; with 2 when the run does not fail again.',
      ),
    )
    .action(async (folder: string, flags: Flags) => {
      process.exitCode = await shrink(folder, flags);
    });
}

async function shrink(folder: string, flags: Flags): Promise<number> {
  const { run, verdicts } = await judgedRun(folder);
  const start = await startOf(run, folder);
  const failures = failuresOf(verdicts, { folder, ...flags });
  const clock = createSystemClock();
  const endMs = clock.monotonicMs() + 1_000 * flags.within;
  const scratch = mkdtempSync(join(tmpdir(), 'shrink-'));
  try {
    await using pool = openPool(Number.POSITIVE_INFINITY);
    using interrupt = catchInterrupt(() => process.stderr.write('\nstopping with the smallest so far\n'));
    const { scenario } = run;
    const failure = await repeated({ pool, scenario, scratch, failures }, start);
    if (failure === undefined) {
      const where = run.mode === undefined ? 'when it is simulated' : 'again: the sources are others now';
      if (flags.json === true) printJson({ fails: false });
      else
        printLine(`this run does not fail ${where}; not by ${failures.map(({ check }) => check).join(', ')}`);
      return exitCodeOf('unknown');
    }
    const isOver = () => overOf({ interrupt: interrupt.signal, clock, endMs });
    const trials = createTrials({ pool, scenario, failure, scratch, tries: flags.tries, isOver });
    const smallest = await search({ scenario, start, trials });
    const shrunk = freeName(folder, 'shrunk');
    const { result } = await pool.run(0, { scenario, durationMs: undefined, ...smallest, folder: shrunk });
    const before = { faults: faultsOf(scenario, start), calls: callsOf(run) };
    const after = { faults: faultsOf(scenario, smallest), calls: callsOf(await readRecordedRun(shrunk)) };
    const { tried, ended = 'done' } = trials;
    if (flags.json === true) {
      printJson({ fails: true, check: failure.check, folder: shrunk, before, after, tried });
      return exitCodeOf(result.verdict);
    }
    process.stdout.write(`${summary([result], { columns: process.stdout.columns ?? 100 })}\n`);
    const change = `from ${before.faults} faults, ${before.calls} calls to ${after.faults}, ${after.calls}`;
    printLine(`${change}, in ${tried} runs${WHY_ENDED[ended]}`);
    return exitCodeOf(result.verdict);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const WHY_ENDED = {
  done: '; nothing more can be left out',
  tries: ': all that --tries allows',
  time: ': all that --within leaves time for',
  interrupt: ', then interrupted',
} as const;

function overOf(until: {
  readonly interrupt: AbortSignal;
  readonly clock: Clock;
  readonly endMs: number;
}): 'time' | 'interrupt' | undefined {
  if (until.interrupt.aborted) return 'interrupt';
  return until.clock.monotonicMs() >= until.endMs ? 'time' : undefined;
}

/** What the run was, as something to make smaller. */
async function startOf(run: RecordedRun, folder: string): Promise<Candidate> {
  const { scenario, seed, durationMs, isGiven } = run;
  const { system } = run.topology;
  if (system.kind !== 'source') {
    const what = system.kind === 'image' ? system.image : system.path;
    throw new RigError('unsupported', `${folder} is of ${what}, which can't be simulated`, {
      next: 'Only a daemon of these sources can.',
    });
  }
  const isWritten = isGiven === true || durationMs !== undefined;
  const given: GivenPlan = isWritten ? await readPlan(folder) : { scenario, without: [] };
  return { seed, given };
}

/** Throws `invalid` where there is none to look for. */
function failuresOf(
  verdicts: readonly Verdict[],
  { folder, check }: { readonly folder: string } & Pick<Flags, 'check'>,
): readonly Verdict[] {
  const failures = verdicts.filter(
    (one) => one.verdict === 'invalid' && (check === undefined || one.check === check),
  );
  if (failures.length > 0) return failures;
  throw new RigError('invalid', `${folder} does not fail${check === undefined ? '' : ` by ${check}`}`, {
    next: 'Name a run whose verdict is invalid.',
  });
}

/** The first of the failures that comes again; undefined when none does. */
async function repeated(
  context: {
    readonly pool: SimulationPool;
    readonly scenario: string;
    readonly scratch: string;
    readonly failures: readonly Verdict[];
  },
  start: Candidate,
): Promise<Verdict | undefined> {
  const { pool, scenario, failures } = context;
  const folder = join(context.scratch, 'again');
  const { result } = await pool.run(0, { scenario, durationMs: undefined, ...start, folder });
  return failures.find((failure) => result.verdicts.some((verdict) => isSameFailure(failure, verdict)));
}

function search(options: {
  readonly scenario: string;
  readonly start: Candidate;
  readonly trials: Trials;
}): Promise<Candidate> {
  const { scenario, start, trials } = options;
  const show = (now: Candidate): void => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${faultsOf(scenario, now)} faults, ${trials.tried} runs`);
  };
  return reduce(start, {
    passes: passesOf(scenario, start.given).map((pass) => (now: Candidate) => {
      show(now);
      return pass(now.given).flatMap((given) => withSeeds(now.seed, given));
    }),
    firstFailing: trials.firstFailing,
  });
}

/** Typed by what it is given: a pass makes a plan of a plan, and a part of a part. */
function passesOf(scenario: string, given: GivenPlan): readonly Pass<GivenPlan>[] {
  const passes =
    'without' in given ? partPasses(scenarioOf({ scenario, seed: 0, durationMs: undefined })) : PLAN_PASSES;
  return passes as readonly Pass<GivenPlan>[];
}

/** Its own seed first. A plan's workload draws by the same. */
const withSeeds = (seed: number, given: GivenPlan): readonly Candidate[] =>
  Array.from({ length: SEEDS_EACH }, (_, index) => {
    const drawn = (seed + index) % SEEDS;
    return { seed: drawn, given: 'without' in given ? given : { ...given, seed: drawn } };
  });

const faultsOf = (scenario: string, { seed, given }: Candidate): number =>
  'without' in given
    ? faultSteps(scenarioOf({ scenario, seed, durationMs: undefined, given }))
    : given.faults.length;

const callsOf = ({ history }: RecordedRun): number =>
  history.filter((event) => event.type === 'call' && event.phase === 'invoke').length;
