// How runs ended, for whoever started them.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RigError } from '../base/errors.ts';
import { readStarted } from '../cluster/settings.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { worstOf } from '../rig/checks/judge.ts';
import { COMPOSE_FILE, REPORT_FILE } from '../rig/record-files.ts';
import { summary } from '../rig/report/summary.ts';
import { verdictFile } from '../rig/report/verdict.ts';
import type { RunResult } from '../rig/run.ts';
import type { Scenario } from '../rig/scenario.ts';
import { explain } from './explain.ts';
import { rigCommand } from './next-steps.ts';
import { printJson } from './output.ts';

/** How one scenario ended: judged, or not at all because the rig or the machine failed. */
export type Outcome =
  | { readonly scenario: Scenario; readonly result: RunResult }
  | { readonly scenario: Scenario; readonly error: RigError; readonly folder: string };

/** `runs/<time>-<scenario>-<seed>`, with a number behind it if that is taken; the time is in UTC. */
export function freeFolder(options: {
  readonly scenario: string;
  readonly seed: number;
  readonly out: string;
  readonly nowMs: number;
}): string {
  const { scenario, seed, out, nowMs } = options;
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return firstFree(join(out, `${time}-${scenario}-${seed}`));
}

/** Beside the run's folder: `<run>-<what>`, with a number behind it if that is taken. */
export const freeName = (folder: string, what: string): string => firstFree(`${resolve(folder)}-${what}`);

function firstFree(wanted: string): string {
  let folder = wanted;
  for (let count = 2; existsSync(folder); count += 1) folder = `${wanted}-${count}`;
  return folder;
}

/** Tells how it ended, as JSON if that is wanted; answers with the exit code. */
export function conclude(
  scenarios: readonly Scenario[],
  outcomes: readonly Outcome[],
  { json }: { readonly json?: boolean },
): number {
  const results = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  if (json === true) printJson(results.map(outcomeOf));
  else process.stdout.write(`\n${summary(results, { columns: process.stdout.columns ?? 100 })}\n`);
  for (const { runId, folder } of json === true ? [] : results.filter(({ kept }) => kept)) {
    const file = join(folder, COMPOSE_FILE);
    process.stdout.write(
      `kept: docker compose -f ${file} ps; remove it with: ${rigCommand(readStarted(), process.cwd())} down --run ${runId}\n`,
    );
  }
  for (const { scenario, error, folder } of failures) {
    process.stderr.write(`rig: ${scenario.name}: ${explain(error)}\n`);
    const report = join(folder, REPORT_FILE);
    if (existsSync(report)) process.stderr.write(`  report of what was recorded: ${report}\n`);
  }
  const unrun = scenarios.length - outcomes.length;
  if (unrun > 0)
    process.stderr.write(`rig: interrupted; ${unrun} of ${scenarios.length} scenarios were not run\n`);
  if (failures.length > 0 || unrun > 0) return EXIT_MACHINE;
  return exitCodeOf(worstOf(results.map(({ verdict }) => verdict)));
}

/** For scripts. */
export const outcomeOf = (result: RunResult) => ({
  ...verdictFile(result),
  folder: result.folder,
  ...(result.kept && { runId: result.runId }),
});
