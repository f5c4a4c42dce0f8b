// The summary on the terminal: a line a scenario, then why the bad ones are bad.

import type { Verdict } from '../history.ts';
import { commandOf, type ScenarioResult } from './verdict.ts';

/** Verdicts that are told about in full for each scenario; report.html has them all. */
const MOST_VERDICTS = 3;
const MOST_LINES = 4;
/** Below this the table's columns don't fit, and each scenario takes two lines. */
const TABLE_COLUMNS = 64;

/**
 * Plain text without colours, made for `columns` (default 80; at least 40).
 * Only what can't be broken without harm, a folder or a command, is longer.
 */
export function summary(
  results: readonly ScenarioResult[],
  options: { readonly columns?: number } = {},
): string {
  const columns = Math.max(40, options.columns ?? 80);
  if (results.length === 0) return 'No scenario was run to its end.';
  const table = columns >= TABLE_COLUMNS ? wideTable(results, columns) : narrowTable(results, columns);
  const details = results
    .filter((result) => result.verdict !== 'valid')
    .flatMap((result) => ['', ...detailsOf(result, columns)]);
  return [...table, ...details, '', totals(results)].join('\n');
}

const seconds = (result: ScenarioResult): string => `${(result.elapsedMs / 1000).toFixed(1)} s`;

function wideTable(results: readonly ScenarioResult[], columns: number): readonly string[] {
  const nameWidth = Math.max('scenario'.length, ...results.map(({ scenario }) => scenario.length));
  const timeWidth = Math.max('time'.length, ...results.map((result) => seconds(result).length));
  const row = (name: string, verdict: string, time: string): string =>
    `${name.padEnd(nameWidth)}  ${verdict.padEnd(7)}  ${time.padStart(timeWidth)}`;
  const used = row('', '', '').length + 2;
  // A folder that doesn't fit beside the rest goes below it, whole: it is there to be copied.
  const beside = results.every(({ folder }) => used + folder.length <= columns);
  return [
    `${row('scenario', 'verdict', 'time')}${beside ? '  run' : ''}`,
    ...results.flatMap((result) => {
      const line = row(result.scenario, result.verdict, seconds(result));
      return beside ? [`${line}  ${result.folder}`] : [line, `  ${result.folder}`];
    }),
  ];
}

function narrowTable(results: readonly ScenarioResult[], columns: number): readonly string[] {
  return results.flatMap((result) => [
    ...wrapped(`${result.verdict.padEnd(7)} ${result.scenario}`, { columns, indent: '  ' }),
    `  ${seconds(result)}  ${result.folder}`,
  ]);
}

function detailsOf(result: ScenarioResult, columns: number): readonly string[] {
  const bad = result.verdicts.filter(({ verdict }) => verdict !== 'valid');
  // What is wrong comes before what nobody knows.
  const ordered = [...bad].sort((a, b) => (a.verdict < b.verdict ? -1 : a.verdict > b.verdict ? 1 : 0));
  const more = ordered.length - MOST_VERDICTS;
  return [
    `${result.scenario}: ${result.verdict}`,
    ...ordered.slice(0, MOST_VERDICTS).flatMap((verdict) => verdictLines(verdict, columns)),
    ...(more > 0 ? [`  … and ${more} more check${more === 1 ? '' : 's'}; see report.html`] : []),
    '  again with:',
    `    ${commandOf(result)}`,
  ];
}

function verdictLines(
  { check, verdict, reason, counterExample = [] }: Verdict,
  columns: number,
): readonly string[] {
  const more = counterExample.length - MOST_LINES;
  return [
    ...wrapped(`  ${check} (${verdict}): ${reason}`, { columns, indent: '    ' }),
    ...counterExample
      .slice(0, MOST_LINES)
      .flatMap((line) => wrapped(`    ${line}`, { columns, indent: '      ' })),
    ...(more > 0 ? [`    … and ${more} more line${more === 1 ? '' : 's'}`] : []),
  ];
}

function totals(results: readonly ScenarioResult[]): string {
  const tally = (verdict: Verdict['verdict']): number =>
    results.filter((result) => result.verdict === verdict).length;
  return `${tally('valid')} valid, ${tally('invalid')} invalid, ${tally('unknown')} unknown`;
}

/** Breaks at spaces; a word that is longer than a line is cut. */
function wrapped(
  text: string,
  options: { readonly columns: number; readonly indent: string },
): readonly string[] {
  const { columns, indent } = options;
  const lines: string[] = [];
  // What a program printed may have several lines.
  let rest = text.replaceAll(/\s*\n\s*/g, ' ');
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const cut = space > indent.length ? space : columns;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = indent + rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}
