// `rig replay`: a simulated run once more, by what its record says of it.

import { basename } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { readRunFile } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';
import { readPlan } from './read-plan.ts';
import { digestOfRecord } from './record-digest.ts';
import { freeName } from './run-outcome.ts';
import { openPool } from './simulation-pool.ts';

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .argument('<run>', 'folder of the run')
    .option('--json', 'print what came out as JSON')
    .addHelpText(
      'after',
      help(
        ['rig replay runs/20260101-120000-chaos-7'],
        '{"same": whether byte by byte, "verdict", "folder"}',
      ),
    )
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      process.exitCode = await replay(folder, flags);
    });
}

async function replay(folder: string, { json }: { readonly json?: boolean }): Promise<number> {
  const { mode, scenario, seed, durationMs, isGiven } = await readRunFile(folder);
  if (mode !== 'simulated') {
    throw new RigError('invalid', `${folder} was not simulated`, {
      next: 'Only what is simulated comes again.',
    });
  }
  const given = isGiven === true ? { given: await readPlan(folder) } : {};
  // Before anything is run for it.
  const before = digestOfRecord(folder);
  await using pool = openPool(1);
  const again = freeName(folder, 'replay');
  const { result } = await pool.run(0, {
    scenario,
    seed,
    durationMs,
    ...given,
    folder: again,
  });
  const same = digestOfRecord(again) === before;
  const code = same ? exitCodeOf(result.verdict) : EXIT_MACHINE;
  if (json === true) {
    printJson({ same, verdict: result.verdict, folder: again });
    return code;
  }
  process.stdout.write(`${summary([result], { columns: process.stdout.columns ?? 100 })}\n`);
  const other = `not the same: the sources are others than in ${basename(folder)}, or what was recorded is`;
  process.stdout.write(`${same ? 'the same as before, byte by byte' : fitted(other, '  ')}\n`);
  return code;
}
