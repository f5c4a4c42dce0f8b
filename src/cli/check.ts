// `rig check`: judges a recorded run again, offline, and exits as the run should have.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { CHECK_NAMES, type CheckName } from '../rig/checks/catalogue.ts';
import { exitCodeOf, judge } from '../rig/checks/judge.ts';
import { endMs } from '../rig/checks/outages.ts';
import { readRecordedRun, readRunFile } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('judge a recorded run again, offline')
    .argument('<folder>', 'the run: runs/<time>-<scenario>-<seed>')
    .option('--only <check...>', 'these checks instead of those that the scenario asked for')
    .action(async (folder: string, options: { readonly only?: readonly string[] }) => {
      const { checks } = await readRunFile(folder);
      const run = await readRecordedRun(folder);
      const judged = judge(run, (options.only ?? checks).map(checkName));
      const { scenario, seed } = run;
      const result = { scenario, seed, folder, elapsedMs: endMs(run), ...judged };
      for (const { check, verdict, reason } of judged.verdicts) {
        process.stdout.write(`${verdict.padEnd(7)}  ${check}: ${reason}\n`);
      }
      process.stdout.write(`\n${summary([result], { columns: process.stdout.columns ?? 80 })}\n`);
      process.exitCode = exitCodeOf(judged.verdict);
    });
}

function checkName(name: string): CheckName {
  const known = CHECK_NAMES.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw new RigError('invalid', `there is no check '${name}'`, {
    next: `Choose from ${CHECK_NAMES.join(', ')}.`,
  });
}
