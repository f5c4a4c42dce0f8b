// `rig diff`: two recorded runs side by side. Both are judged anew, so that one
// measure is laid on both; the exit code says nothing of either.

import type { Command } from 'commander';
import { compare } from '../rig/report/compare.ts';
import { diffText } from '../rig/report/diff-text.ts';
import { judgedRun } from './judged-run.ts';

export function registerDiff(program: Command): void {
  program
    .command('diff')
    .argument('<run>', 'folder of the first run, A')
    .argument('<other>', 'folder of the second, B')
    .action(async (first: string, second: string) => {
      const a = await judgedRun(first);
      const b = await judgedRun(second);
      const columns = process.stdout.columns ?? 80;
      process.stdout.write(`${diffText({ a, b, comparison: compare(a, b), columns })}\n`);
    });
}
