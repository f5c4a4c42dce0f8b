// `rig replay`: a simulated run once more, by what its record says of it.

import { basename } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/judge.ts';
import { readRunFile } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { readPlan } from './read-plan.ts';
import { digestOfRecord } from './record-digest.ts';
import { freeName } from './run-outcome.ts';
import { openPool } from './simulation-pool.ts';

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('run a simulated run again, and tell whether it comes to the same, byte by byte')
    .argument('<run>', 'folder of the run')
    .action(async (folder: string) => {
      process.exitCode = await replay(folder);
    });
}

async function replay(folder: string): Promise<number> {
  const { mode, scenario, seed, durationMs, isGiven } = await readRunFile(folder);
  if (mode !== 'simulated') {
    throw new RigError('invalid', `${folder} was not simulated`, {
      next: 'Only what is simulated comes again.',
    });
  }
  const given = isGiven === true ? { given: await readPlan(folder) } : {};
  await using pool = openPool(1);
  const again = freeName(folder, 'replay');
  const { result, recordDigest } = await pool.run(0, {
    scenario,
    seed,
    durationMs,
    ...given,
    folder: again,
  });
  process.stdout.write(`${summary([result], { columns: process.stdout.columns ?? 100 })}\n`);
  if (recordDigest === digestOfRecord(folder)) {
    process.stdout.write('the same as before, byte by byte\n');
    return exitCodeOf(result.verdict);
  }
  process.stdout.write(
    `not the same: the sources are others than in ${basename(folder)}, or what was recorded is\n`,
  );
  return EXIT_MACHINE;
}
