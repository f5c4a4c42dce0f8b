// The summary on the terminal: ten lines for a run, in the order of the page. Of
// several runs a line each, and then those lines for each that is not good.

import type { Verdict } from '../history.ts';
import { cut, wrapped } from './text.ts';
import { commandOf, type ScenarioResult } from './verdict.ts';

/** Below this the table's columns don't fit, and what is told takes more lines of fewer. */
const TABLE_COLUMNS = 64;

/** Of one run, the totals included. */
const MOST_LINES = 10;

/**
 * Plain text without colours, made for `columns` (default 80; at least 40).
 * Only what can't be broken without harm, a folder or a command, is longer.
 */
export function summary(
  results: readonly ScenarioResult[],
  options: { readonly columns?: number } = {},
): string {
  const columns = Math.max(40, options.columns ?? 80);
  const [first] = results;
  if (first === undefined) return 'No scenario was run to its end.';
  if (results.length === 1) return [...linesOf(first, columns), totals(results)].join('\n');
  const table = columns >= TABLE_COLUMNS ? wideTable(results, columns) : narrowTable(results, columns);
  const details = results
    .filter((result) => result.verdict !== 'valid')
    .flatMap((result) => ['', ...linesOf(result, columns)]);
  return [...table, ...details, '', totals(results)].join('\n');
}

const seconds = (result: ScenarioResult): string => `${(result.elapsedMs / 1000).toFixed(1)} s`;

/** Of what open files saw, where there is nothing worse to tell; all of it is in the report. */
const MOST_SIGHTS = 2;

/** All but the totals. */
function linesOf(result: ScenarioResult, columns: number): readonly string[] {
  const { scenario, verdict, verdicts, glance, folder, seed } = result;
  const found = glance?.found ?? [];
  // What is wrong comes before what nobody knows; of half a run the latter is no news.
  const bad = [...verdicts]
    .filter((each) => each.verdict === 'invalid' || (each.verdict === 'unknown' && !isInterrupted(result)))
    .sort((a, b) => a.verdict.localeCompare(b.verdict) || found.indexOf(a.check) - found.indexOf(b.check));
  const [worst, ...rest] = bad;
  const good = verdicts.filter((each) => each.verdict === 'valid').length;
  const tally = `${good} of ${verdicts.length} checks valid`;
  const more = rest.map((each) => `${each.check} (${each.verdict})`).join(', ');
  const also = more === '' ? [] : [cut(`  also ${more}`, columns)];
  const head = isInterrupted(result) ? 'interrupted' : verdict;
  const told = [glance?.interrupted, glance?.faults, glance?.calls].filter((line) => line !== undefined);
  const sights = bad.length > 0 ? [] : (glance?.mounts ?? []).slice(0, MOST_SIGHTS);
  // The first line, the report, how to do it again, and the totals are always there.
  const room = MOST_LINES - 4 - also.length - told.length;
  return [
    cut(`${head}  ${scenario}: ${tally}, ${seconds(result)}, seed ${seed}`, columns),
    ...(worst === undefined ? [] : verdictLines(worst, { columns, most: room })),
    ...also,
    ...told.map((line) => cut(`  ${line}`, columns)),
    ...sights.flatMap((sight) => wrapped(`  ${sight}`, { columns, indent: '    ', most: 3 })),
    `  report: ${folder}/report.html`,
    `  again: ${commandOf(result)}`,
  ];
}

/** The reason, and as much of the counter-example as there is room for. */
function verdictLines(
  { check, verdict, reason, counterExample = [] }: Verdict,
  { columns, most }: { readonly columns: number; readonly most: number },
): readonly string[] {
  const head = wrapped(`  ${check} (${verdict}): ${reason}`, { columns, indent: '    ', most: 2 });
  const room = most - head.length;
  const left = counterExample.length - room;
  return [
    ...head,
    ...counterExample
      .slice(0, room)
      .map((line, index) =>
        index === room - 1 && left > 0
          ? `${cut(`    ${line}`, columns - 12)} (+${left} more)`
          : cut(`    ${line}`, columns),
      ),
  ];
}

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
    cut(`${result.verdict.padEnd(7)} ${result.scenario}`, columns),
    `  ${seconds(result)}  ${result.folder}`,
  ]);
}

const isInterrupted = ({ glance }: ScenarioResult): boolean => glance?.interrupted !== undefined;

function totals(results: readonly ScenarioResult[]): string {
  const ended = results.filter((result) => !isInterrupted(result));
  const tally = (verdict: Verdict['verdict']): number =>
    ended.filter((result) => result.verdict === verdict).length;
  if (ended.length === 0) return 'no verdict';
  return `${tally('valid')} valid, ${tally('invalid')} invalid, ${tally('unknown')} unknown`;
}
