// `rig summary`: what came of all runs in a folder, in Markdown.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { RUN_FILE, VERDICT_FILE } from '../rig/record-files.ts';
import { markdownSummary, type SummarizedRun } from '../rig/report/markdown.ts';
import type { VerdictFile } from '../rig/report/verdict.ts';
import { help } from './output.ts';

export function registerSummary(program: Command): void {
  program
    .command('summary')
    .argument('[folder]', 'where the folders of the runs are', 'runs')
    .addHelpText('after', help(['rig summary runs >> "$GITHUB_STEP_SUMMARY"']))
    .action((folder: string) => {
      process.stdout.write(markdownSummary(runsIn(folder)));
    });
}

/** Throws `invalid` for a folder that can't be read. */
function runsIn(folder: string): readonly SummarizedRun[] {
  const names = readable(folder, () => readdirSync(folder).sort());
  return names.flatMap((name): readonly SummarizedRun[] => {
    const run = join(folder, name);
    const files = new Set(readable(run, () => readdirSync(run), []));
    if (!files.has(RUN_FILE)) return [];
    return [
      { folder: run, verdict: files.has(VERDICT_FILE) ? verdictOf(join(run, VERDICT_FILE)) : undefined },
    ];
  });
}

function verdictOf(file: string): VerdictFile {
  const verdict = readable(file, () => JSON.parse(readFileSync(file, 'utf8')) as VerdictFile);
  if (verdict.formatVersion === 1) return verdict;
  throw new RigError('invalid', `${file} is of another version of the rig`, {
    next: 'Judge the run again: rig check --report.',
  });
}

function readable<T>(path: string, read: () => T, otherwise?: T): T {
  try {
    return read();
  } catch (cause) {
    if (otherwise !== undefined) return otherwise;
    throw new RigError('invalid', `cannot read ${path}: ${(cause as Error).message}`, {
      next: 'Give the folder that rig run wrote to: --out, by default runs.',
      cause,
    });
  }
}
