// `npm run planted`: shows that each planted bug is caught, in runs that the clean system passes. Exits with 0 if
// so, with 1 if a bug was missed or the clean system was not valid, and with 3 if the rig or the machine failed.

import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { RigError } from '../../src/base/errors.ts';
import { explain } from '../../src/cli/explain.ts';
import { catchInterrupt } from '../../src/cli/interrupt.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import { EXIT_MACHINE } from '../../src/rig/checks/exit-codes.ts';
import type { PlantedBug } from './bug.ts';
import { openLaboratory } from './laboratory.ts';
import { openSimulatedLaboratory } from './simulated-laboratory.ts';
import { readBugs } from './sources.ts';
import { lineOf, readmeRows, tableOf } from './table.ts';
import { exitCodeOfTrials, type Trial, tryAll } from './trial.ts';

const SIMULATED_SEEDS = 10;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function chosen(names: readonly string[]): readonly PlantedBug[] {
  const all = readBugs();
  const unknown = names.find((name) => !all.some((bug) => bug.name === name));
  if (unknown !== undefined) {
    throw new RigError('invalid', `there is no planted bug '${unknown}'`, {
      next: `Choose from: ${all.map(({ name }) => name).join(', ')}.`,
    });
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

async function commitNow(): Promise<string> {
  const { stdout } = await execa('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT_FOLDER });
  return stdout;
}

interface Flags {
  readonly rows?: boolean;
  readonly simulated?: boolean;
}

async function main(names: readonly string[], { rows, simulated }: Flags): Promise<number> {
  const bugs = chosen(names);
  const commit = rows === true ? await commitNow() : undefined;
  const id = newRunId();
  const out = join(ROOT_FOLDER, 'runs', `planted-${id}`);
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  const { signal } = interrupt;
  const options = { clock: createSystemClock(), signal, out };
  await using laboratory =
    simulated === true
      ? openSimulatedLaboratory({ ...options, seeds: SIMULATED_SEEDS })
      : await openLaboratory({ ...options, id, onProgress: print });
  const trials: Trial[] = [];
  for await (const trial of tryAll(bugs, laboratory)) {
    trials.push(trial);
    print(lineOf(trial));
    if (trial.evidence !== undefined) print(`        ${trial.evidence}`);
  }
  print(`\n${tableOf(trials)}\n\nruns: ${out}`);
  if (commit !== undefined) print(`\n${readmeRows(trials, commit).join('\n')}`);
  return exitCodeOfTrials(trials);
}

const program = new Command('planted')
  .description('build each planted bug into an image, and show which check catches it')
  .argument('[bug...]', 'names of bugs, as in test/planted; default: all')
  .option('--rows', "print the rows of README's table as well, with this commit")
  .option('--simulated', 'without Docker: in simulated runs, with ten seeds each')
  .action(async (names: readonly string[], flags: Flags) => {
    process.exitCode = await main(names, flags);
  });
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`planted: ${explain(RigError.from(error))}\n`);
  process.exitCode = EXIT_MACHINE;
}
