// The table of faults, times and checks on the terminal.

import { count } from '../checks/verdict.ts';
import { type FaultTimes, median } from './cycles.ts';
import { cut, wrapped } from './text.ts';

const HEADS = ['times', 'shows', 'healed', 'cycle', '+ share', 'checks'] as const;
const NUMBER_WIDTH = 9;
/** Below this the numbers stand as close as their heads. */
const LOOSE_COLUMNS = 60;
/** Below this a fault stands on a line of its own. */
const WIDE_COLUMNS = 96;

/** Plain text for `columns` (default 80; at least 40). Times in seconds, medians. */
export function cycleTable(
  faults: readonly FaultTimes[],
  options: { readonly columns?: number } = {},
): readonly string[] {
  if (faults.length === 0) return ['No fault was injected.'];
  const columns = Math.max(40, options.columns ?? 80);
  const widths = HEADS.map((head) => (columns < LOOSE_COLUMNS ? head.length + 1 : NUMBER_WIDTH));
  const numbers = widths.reduce((sum, width) => sum + width, 0);
  const row = (name: string, values: readonly string[]): readonly string[] => {
    const cells = values.map((value, index) => value.padStart(widths[index] ?? 0)).join('');
    if (columns < WIDE_COLUMNS)
      return [
        ...wrapped(name, { columns, indent: '  ', most: 3 }),
        `${' '.repeat(columns - numbers)}${cells}`,
      ];
    const width = columns - numbers;
    return [`${cut(name, width).padEnd(width)}${cells}`];
  };
  return [
    ...row('fault; medians in seconds', HEADS),
    ...faults.flatMap((one) => row(one.fault, cellsOf(one))),
    '',
    ...wrapped(totals(faults), { columns, indent: '', most: 6 }),
  ];
}

function cellsOf(one: FaultTimes): readonly string[] {
  const { valid, invalid, unknown } = one.judged;
  return [
    String(one.times),
    ...[one.showedAfterMs, one.healedAfterMs, one.cycleMs, one.withShareMs].map(seconds),
    `${valid}/${valid + invalid + unknown}`,
  ];
}

function totals(faults: readonly FaultTimes[]): string {
  const sum = faults.reduce((all, { times }) => all + times, 0);
  const of = (field: 'cycleMs' | 'withShareMs'): string => seconds(median(faults.map((one) => one[field])));
  return (
    `${count(sum, 'cycle')} of ${count(faults.length, 'fault')}. In the median a fault, the work under it and the looks ` +
    `at the cluster's health before and after it take ${of('cycleMs')} s, and ${of('withShareMs')} s with their share of starting, ending and ` +
    'judging the cluster.'
  );
}

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : (ms / 1_000).toFixed(1));
