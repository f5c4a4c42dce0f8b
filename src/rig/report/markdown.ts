// What came of many runs, in Markdown: for the page that a pipeline shows of itself.

import type { Verdict } from '../history.ts';
import type { VerdictFile } from './verdict.ts';

/** A run's folder, and what it holds; undefined where the run was not judged. */
export interface SummarizedRun {
  readonly folder: string;
  readonly verdict: VerdictFile | undefined;
}

/** Those that need a look come first; of each what a check found, and how to have it again. */
export function markdownSummary(runs: readonly SummarizedRun[]): string {
  if (runs.length === 0) return 'No run was recorded.\n';
  const rank = ({ verdict }: SummarizedRun): number => RANKS.indexOf(verdict?.verdict);
  const sorted = [...runs].sort((a, b) => rank(a) - rank(b));
  const counts = RANKS.flatMap((of) => {
    const { length } = runs.filter(({ verdict }) => verdict?.verdict === of);
    return length === 0 ? [] : [`${length} ${of ?? 'not judged'}`];
  });
  const rows = sorted.map(
    ({ folder, verdict }) =>
      `| ${cell(verdict?.scenario ?? folder)} | ${verdict?.seed ?? ''} | ${verdict?.verdict ?? 'not judged'} | ${
        verdict === undefined ? '' : `${(verdict.elapsedMs / 1_000).toFixed(1)} s`
      } |`,
  );
  const details = sorted.flatMap(({ folder, verdict }) =>
    verdict === undefined || verdict.verdict === 'valid' ? [] : [detail(folder, verdict)],
  );
  return [
    `**${counts.join(', ')}**`,
    ['| scenario | seed | verdict | time |', '|---|---|---|---|', ...rows].join('\n'),
    ...details,
    '',
  ].join('\n\n');
}

const RANKS: readonly (VerdictFile['verdict'] | undefined)[] = ['invalid', undefined, 'unknown', 'valid'];

function detail(folder: string, { scenario, verdict, command, checks }: VerdictFile): string {
  const found = checks.filter((check) => check.verdict !== 'valid').map(finding);
  return [`### ${scenario}: ${verdict}`, ...found, `\`${command}\`, recorded in \`${folder}\``].join('\n\n');
}

function finding({ check, verdict, reason, counterExample = [] }: Verdict): string {
  const lines = counterExample.length === 0 ? '' : `\n\n${fenced(counterExample)}`;
  return `**${check}** (${verdict}): ${text(reason)}${lines}`;
}

/** The fence is longer than any within. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${lines.join('\n')}\n${fence}`;
}

const text = (words: string): string => words.replaceAll(/[\\`*_<>|[\]]/g, '\\$&').replaceAll(/\s+/g, ' ');
const cell = text;
