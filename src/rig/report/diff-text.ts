// The comparison of two runs on the terminal.

import type { CallFigures } from './call-figures.ts';
import type { ComparedRun, Comparison, Pair } from './compare.ts';
import { cut, wrapped } from './text.ts';

const MOST_EXPECTATIONS = 30;
const NUMBER_WIDTH = 8;
/** Below this a name stands on a line of its own. */
const WIDE_COLUMNS = 64;

/** Plain text for `columns` (default 80; at least 40); only a folder may be longer. */
export function diffText(options: {
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly comparison: Comparison;
  readonly columns?: number;
}): string {
  const { a, b, comparison } = options;
  const columns = Math.max(40, options.columns ?? 80);
  return [
    ...headOf('A', { ...a, mode: comparison.modes.a }, columns),
    ...headOf('B', { ...b, mode: comparison.modes.b }, columns),
    ...section('Checks that differ', checkLines(comparison, columns)),
    ...section('Times of expectations', expectationLines(comparison, columns)),
    ...section('Calls', callLines(comparison, columns)),
    ...section('Faults', faultLines(comparison, columns)),
  ].join('\n');
}

function headOf(
  name: string,
  { run, folder, verdict, mode }: ComparedRun & { readonly mode: string },
  columns: number,
): readonly string[] {
  const line = `${name}  ${run.interrupted === undefined ? verdict : 'interrupted'}  ${run.scenario}, ${mode}, seed ${run.seed}`;
  return [...wrapped(line, { columns, indent: '   ', most: 2 }), `   ${folder}`];
}

const section = (title: string, lines: readonly string[]): readonly string[] => [
  '',
  title,
  ...(lines.length === 0 ? ['  none'] : lines),
];

function checkLines({ checks }: Comparison, columns: number): readonly string[] {
  return checks.flatMap(({ name, a, b }) => [
    cut(`  ${name}: ${a?.verdict ?? 'not asked'} -> ${b?.verdict ?? 'not asked'}`, columns),
    ...[['A', a] as const, ['B', b] as const].flatMap(([side, verdict]) =>
      verdict === undefined || verdict.verdict === 'valid'
        ? []
        : wrapped(`    ${side}: ${verdict.reason}`, { columns, indent: '       ', most: 3 }),
    ),
  ]);
}

function expectationLines({ expectations }: Comparison, columns: number): readonly string[] {
  if (expectations.length === 0) return [];
  const rest = expectations.length - MOST_EXPECTATIONS;
  return [
    row('', ['A ms', 'B ms', 'B/A'], columns),
    ...expectations.slice(0, MOST_EXPECTATIONS).flatMap((pair) => numbers(pair.name, pair, columns)),
    ...(rest > 0 ? [`  and ${rest} more that changed less`] : []),
  ];
}

const FIGURES: readonly (readonly [string, keyof CallFigures])[] = [
  ['calls', 'calls'],
  ['refused', 'refused'],
  ['went wrong', 'wrong'],
  ['median ms', 'medianMs'],
  ['p95 ms', 'p95Ms'],
];

function callLines({ calls }: Comparison, columns: number): readonly string[] {
  return calls.flatMap(({ name, a, b }, index) => [
    ...(index === 0 ? [row('', ['A', 'B', 'B/A'], columns)] : []),
    cut(`  ${name}`, columns),
    ...FIGURES.map(([title, field]) => {
      const pair = { a: a?.[field], b: b?.[field] };
      return row(`  ${title}`, [figure(pair.a), figure(pair.b), ratio(pair)], columns);
    }),
  ]);
}

function faultLines({ faults }: Comparison, columns: number): readonly string[] {
  const text = (value: Comparison['faults'][number]['a']): string => {
    if (value === undefined) return 'none';
    const lasted = Number.isFinite(value.lastedMs) ? `${(value.lastedMs / 1000).toFixed(1)} s` : 'to the end';
    return `${value.count} time${value.count === 1 ? '' : 's'}, ${lasted}`;
  };
  return faults.flatMap(({ name, a, b }) => [
    ...wrapped(`  ${name}`, { columns, indent: '    ', most: 3 }),
    ...wrapped(`    A ${text(a)}; B ${text(b)}`, { columns, indent: '      ', most: 2 }),
  ]);
}

function numbers(name: string, pair: Pair<number>, columns: number): readonly string[] {
  const values = [figure(pair.a), figure(pair.b), ratio(pair)];
  if (columns >= WIDE_COLUMNS) return [row(name, values, columns)];
  return [...wrapped(`  ${name}`, { columns, indent: '    ', most: 3 }), row('', values, columns)];
}

function row(name: string, values: readonly string[], columns: number): string {
  const width = columns - 2 - NUMBER_WIDTH * values.length;
  return `  ${cut(name, width).padEnd(width)}${values.map((value) => value.padStart(NUMBER_WIDTH)).join('')}`;
}

const figure = (value: number | undefined): string => (value === undefined ? '-' : String(Math.round(value)));

function ratio({ a, b }: Pick<Pair<number>, 'a' | 'b'>): string {
  if (a === undefined || b === undefined) return '-';
  if (Math.round(a) === 0) return Math.round(b) === 0 ? '1.00' : '-';
  return (b / a).toFixed(2);
}
