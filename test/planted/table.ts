// Trials as tables: for the terminal, and for README's track record. Pure.

import { cut } from '../../src/rig/report/text.ts';
import type { Trial } from './trial.ts';

const OUTCOMES = { passed: '', missed: 'MISSED', failed: 'FAILED' } as const;

/** Columns: what went wrong with a trial may take more, and has its own line. */
const WIDEST = 40;

/** One line, for while the trials go on. */
export function lineOf({ bug, run, outcome, told, elapsedMs }: Trial): string {
  const parts = [OUTCOMES[outcome].padEnd(6), bug?.name ?? '(clean)', told, run, inSeconds(elapsedMs)];
  return parts.join('  ');
}

/** All of them, in columns. */
export function tableOf(trials: readonly Trial[]): string {
  const rows = [
    ['', 'bug', 'caught by', 'in', 'time'],
    ...trials.map(({ bug, run, outcome, told, elapsedMs }) => [
      OUTCOMES[outcome],
      bug?.name ?? '(clean)',
      cut(told, WIDEST),
      run,
      inSeconds(elapsedMs),
    ]),
  ];
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, column) => Math.max(cell.length, most[column] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The rows of README's table, of the bugs that were caught at this commit in runs that the clean system passed. */
export function readmeRows(trials: readonly Trial[], commit: string): readonly string[] {
  const passed = trials.filter(({ outcome }) => outcome === 'passed');
  const clean = new Set(passed.filter(({ bug }) => bug === null).map(({ run }) => run));
  return passed.flatMap(({ bug, run }) => {
    if (bug === null || !clean.has(run)) return [];
    const wrong = bug.wrong.replace(/\.$/, '');
    return [
      `| ${wrong} | \`${bug.caughtBy}\` in \`${bug.run}\` | \`npm run planted -- ${bug.name}\` | ${commit} |`,
    ];
  });
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
