// `rig run --mode simulated`: scenarios with one seed or many, on all cores.

import { rmSync } from 'node:fs';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { openShipping, type Shipping } from '../cluster/shipping.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { worstOf } from '../rig/checks/judge.ts';
import { summary } from '../rig/report/summary.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { explain } from './explain.ts';
import { catchInterrupt } from './interrupt.ts';
import { tellShipped } from './logs.ts';
import { printJson, printLine } from './output.ts';
import { digestOfRecord } from './record-digest.ts';
import { freeFolder, outcomeOf } from './run-outcome.ts';
import type { SimulationResult } from './simulation.ts';
import { openPool, type SimulationPool } from './simulation-pool.ts';

/** One run of so many is done again, to see that it comes to the same. */
const REPEATED_OF = 25;

interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly durationMs: number | undefined;
  readonly isRepeated: boolean;
}

interface Tally {
  readonly results: SimulationResult[];
  /** What the rig itself failed at. */
  readonly failures: string[];
  repeated: number;
}

/** Answers with the exit code. Throws `invalid` for a scenario that there is not. */
export async function runSimulated(options: {
  readonly names: readonly string[];
  readonly seeds: { readonly from: number; readonly to: number };
  readonly durationMs: number | undefined;
  readonly out: string;
  readonly json?: boolean;
}): Promise<number> {
  const { seeds, durationMs, out } = options;
  // Once each: with the same seed there is nothing new in a second run.
  const names = new Set(
    scenariosNamed(options.names, { seed: seeds.from, durationMs }).map(({ name }) => name),
  );
  const jobs = Array.from({ length: seeds.to - seeds.from + 1 }, (_, index) =>
    [...names].map(
      (scenario): Job => ({
        scenario,
        seed: seeds.from + index,
        durationMs,
        isRepeated: index % REPEATED_OF === 0,
      }),
    ),
  ).flat();
  const isQuiet = options.json === true;
  const isOne = seeds.from === seeds.to;
  const tally: Tally = { results: [], failures: [], repeated: 0 };
  const total = jobs.length;
  await using pool = openPool(total);
  const shipping = openShipping(createSystemClock());
  using progress = showProgress(() => `${total - jobs.length} of ${total} begun`);
  const clock = createSystemClock();
  const startedMs = clock.monotonicMs();
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping after the runs under way\n'));
  const work = async (thread: number): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined && !interrupt.signal.aborted; job = jobs.shift()) {
      progress.update();
      await carryOut(
        { pool, thread, tally, out, nowMs: clock.nowMs(), keepAll: isOne, isQuiet, progress, shipping },
        job,
      );
    }
  };
  await Promise.all(Array.from({ length: pool.size }, (_, thread) => work(thread)));
  await shipping.end(tellShipped);
  progress.clear();
  if (options.json === true) printJson(tally.results.map(({ result }) => outcomeOf(result)));
  else conclude(tally, { isOne, elapsedMs: clock.monotonicMs() - startedMs });
  for (const failure of tally.failures) process.stderr.write(`rig: ${failure}\n`);
  if (interrupt.signal.aborted) process.stderr.write(`rig: interrupted; not all of ${total} were run\n`);
  if (tally.failures.length > 0 || interrupt.signal.aborted) return EXIT_MACHINE;
  return exitCodeOf(worstOf(tally.results.map(({ result }) => result.verdict)));
}

interface Progress extends Disposable {
  update(): void;
  clear(): void;
}

/** One line that is written over, where somebody watches; cleared in the end. */
function showProgress(text: () => string): Progress {
  const write = (line: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  };
  const clear = (): void => write('');
  return { update: () => write(text()), clear, [Symbol.dispose]: clear };
}

async function carryOut(
  context: {
    readonly pool: SimulationPool;
    readonly thread: number;
    readonly tally: Tally;
    readonly out: string;
    readonly nowMs: number;
    readonly keepAll: boolean;
    readonly shipping: Shipping;
    /** Whether nothing but JSON is printed, in the end. */
    readonly isQuiet: boolean;
    readonly progress: Progress;
  },
  { scenario, seed, durationMs, isRepeated }: Job,
): Promise<void> {
  const { pool, thread, tally, keepAll } = context;
  // What is compared or shipped has to be there.
  const isRead = isRepeated || context.shipping.isOpen;
  const keepsRecord = keepAll ? 'always' : isRead ? 'when-over' : 'unless-valid';
  const folder = freeFolder({ ...context, scenario, seed });
  const again = `${folder}-again`;
  const told = `${scenario} --seed ${seed}`;
  const forget = (path: string): void => rmSync(path, { recursive: true, force: true });
  try {
    const found = await pool.run(thread, { scenario, seed, durationMs, folder, keepsRecord });
    tally.results.push(found);
    await context.shipping.sendRecorded(folder);
    const { verdict } = found.result;
    if (verdict !== 'valid' && !keepAll && !context.isQuiet) {
      context.progress.clear();
      printLine(verdictLine(found));
    }
    if (isRepeated) {
      // The other way of recording, too: as it happens.
      await pool.run(thread, { scenario, seed, durationMs, folder: again, keepsRecord: 'always' });
      tally.repeated += 1;
      if (digestOfRecord(again) !== digestOfRecord(folder)) {
        throw new RigError('internal', `two runs with one seed differ: compare ${folder} with ${again}`);
      }
    }
    if (verdict === 'valid' && !keepAll) forget(folder);
    forget(again);
  } catch (error) {
    tally.failures.push(`${told}: ${explain(RigError.from(error))}`);
  }
}

/** Which seed, what it came to, by which check, and where to look. */
function verdictLine({ result }: SimulationResult): string {
  const { scenario, seed, verdict, verdicts, folder } = result;
  const worst = verdicts.find((one) => one.verdict === verdict);
  return `${scenario} --seed ${seed}: ${verdict}: ${worst?.check}: ${worst?.reason} (${folder})`;
}

function conclude(
  { results, repeated }: Tally,
  { isOne, elapsedMs }: { readonly isOne: boolean; readonly elapsedMs: number },
): void {
  const columns = process.stdout.columns ?? 100;
  if (isOne)
    process.stdout.write(
      `\n${summary(
        results.map(({ result }) => result),
        { columns },
      )}\n`,
    );
  const count = (verdict: string): number =>
    results.filter(({ result }) => result.verdict === verdict).length;
  const simulatedMs = results.reduce((sum, one) => sum + one.simulatedMs, 0);
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const tally = `${results.length} simulated: ${count('valid')} valid, ${count('invalid')} invalid, ${count('unknown')} unknown; `;
  printLine(
    // Of one the summary has said it.
    `${isOne ? 'simulated ' : tally}` +
      `${seconds(simulatedMs)} s in ${seconds(elapsedMs)} s; ${repeated} repeated`,
  );
}
