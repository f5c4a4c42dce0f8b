// `rig diff`: two recorded runs side by side. Both are judged anew, so that one
// measure is laid on both; the exit code says nothing of either.

import type { Command } from 'commander';
import { compare } from '../rig/report/compare.ts';
import { diffText } from '../rig/report/diff-text.ts';
import { judgedRun } from './judged-run.ts';
import { help, printJson } from './output.ts';

export function registerDiff(program: Command): void {
  program
    .command('diff')
    .argument('<run>', 'folder of the first run, A')
    .argument('<other>', 'folder of the second, B')
    .option('--json', 'print the comparison as JSON')
    .addHelpText(
      'after',
      help(
        ['rig diff runs/20260101-120000-export-created-7 runs/20260102-120000-export-created-7'],
        '{"modes": {"a", "b"}, "checks", "expectations", "calls", "faults"}, the latter four each [{"name", "a"?, "b"?}]',
      ),
    )
    .action(async (first: string, second: string, { json }: { readonly json?: boolean }) => {
      const a = await judgedRun(first);
      const b = await judgedRun(second);
      if (json === true) {
        printJson(compare(a, b));
        return;
      }
      const columns = process.stdout.columns ?? 80;
      process.stdout.write(`${diffText({ a, b, comparison: compare(a, b), columns })}\n`);
    });
}
