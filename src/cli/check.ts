// `rig check`: judges a recorded run again, offline, and exits as the run should have.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { endMs } from '../rig/checks/outages.ts';
import { glanceOf } from '../rig/report/glance.ts';
import { summary } from '../rig/report/summary.ts';
import { verdictFile } from '../rig/report/verdict.ts';
import { writeReportPage } from '../rig/reports.ts';
import { fitted } from './fitted.ts';
import { judgedRun } from './judged-run.ts';
import { help, printJson } from './output.ts';

export function registerCheck(program: Command): void {
  program
    .command('check')
    .usage('[options] <folder>')
    .argument('[folder]', 'the run: runs/<time>-<scenario>-<seed>')
    .option('--only <check...>', 'these checks instead of those that the scenario asked for')
    .option('--report', 'write report.html anew, or for the first time when the rig was killed')
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      help(
        [
          'rig check runs/20260101-120000-export-created-7',
          'rig check runs/20260101-120000-chaos-1 --only ends logs',
        ],
        'as verdict.json: {"formatVersion", "scenario", "seed", "verdict", "exitCode", "elapsedMs", "command", "checks": [{"check", "verdict", "reason"}]}',
      ),
    )
    .action(async (folder: string | undefined, options: CheckFlags) => {
      if (folder === undefined) throw nothingToCheck();
      const { run, verdict, verdicts } = await judgedRun(folder, options.only);
      const { scenario, seed, durationMs, mode, isGiven } = run;
      const glance = glanceOf(run, verdicts);
      const result = {
        scenario,
        seed,
        durationMs,
        mode,
        isGiven,
        folder,
        elapsedMs: endMs(run),
        verdict,
        verdicts,
        glance,
      };
      if (options.report === true) writeReportPage({ run, result });
      process.exitCode = run.interrupted === undefined ? exitCodeOf(verdict) : EXIT_MACHINE;
      if (options.json === true) {
        printJson(verdictFile(result));
        return;
      }
      for (const { check, verdict: each, reason } of verdicts) {
        process.stdout.write(`${fitted(`${each.padEnd(7)}  ${check}: ${reason}`, ' '.repeat(9))}\n`);
      }
      if (run.interrupted !== undefined) {
        const line = 'This run did not come to its end: it has no verdict, whatever its checks say.';
        process.stdout.write(`\n${fitted(line, '')}\n`);
      }
      process.stdout.write(`\n${summary([result], { columns: process.stdout.columns ?? 80 })}\n`);
    });
}

interface CheckFlags {
  readonly only?: readonly string[];
  readonly report?: boolean;
  readonly json?: boolean;
}

function nothingToCheck(): RigError {
  const newest = newestRun('runs');
  return new RigError('invalid', 'rig check <folder> wants the folder of a run', {
    next: newest === undefined ? 'Name one that rig run has made.' : `The newest is ${newest}.`,
  });
}

/** Their names begin with the time. */
function newestRun(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => /^\d{8}-\d{6}-/.test(name) && existsSync(join(folder, name, 'run.json')))
    .sort()
    .map((name) => join(folder, name))
    .at(-1);
}
