// `rig replay`: a simulated run once more, by what its record says of it.

import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { readRunFile } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { digestOfRecord } from './record-digest.ts';
import { openPool } from './simulation-pool.ts';

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .argument('<run>', 'folder of the run')
    .action(async (folder: string) => {
      process.exitCode = await replay(folder);
    });
}

async function replay(folder: string): Promise<number> {
  const { mode, scenario, seed, durationMs } = await readRunFile(folder);
  if (mode !== 'simulated') {
    throw new RigError('invalid', `${folder} was not simulated`, {
      next: 'Only what is simulated comes again.',
    });
  }
  await using pool = openPool(1);
  const again = freeName(folder);
  const { result, recordDigest } = await pool.run(0, { scenario, seed, durationMs, folder: again });
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

/** Beside the run. */
function freeName(folder: string): string {
  const wanted = `${dirname(folder)}/${basename(folder)}-replay`;
  let name = wanted;
  for (let count = 2; existsSync(name); count += 1) name = `${wanted}-${count}`;
  return name;
}
