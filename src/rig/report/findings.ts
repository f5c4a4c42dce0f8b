// What is wrong, in the order in which somebody wants to know it: what is invalid
// before what is unknown, and of those what went wrong first before what may have
// come of it; each with its moments and the faults of then.

import type { RecordedRun, Verdict } from '../history.ts';
import { type FaultWindow, faultsWithin, faultWindows } from './fault-windows.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Finding extends Pick<Verdict, 'check' | 'verdict' | 'reason'> {
  /** The counter-example; a line that speaks of a moment has its span. */
  readonly lines: readonly { readonly text: string; readonly span: Span | undefined }[];
  /** Those that were active at one of its moments. */
  readonly faults: readonly FaultWindow[];
}

const SEVERITY = { invalid: 0, unknown: 1, valid: 2 } as const;

/** Empty for a run that is good. */
export function findings(run: RecordedRun, verdicts: readonly Verdict[]): readonly Finding[] {
  const windows = faultWindows(run);
  const bad = verdicts.filter(({ verdict }) => verdict !== 'valid');
  const spanOf = spansOf(run, bad);
  return bad
    .map(({ check, verdict, reason, counterExample = [] }) => {
      const lines = counterExample.map((text) => ({ text, span: spanOf(text) }));
      const active = new Set(lines.flatMap(({ span }) => (span ? faultsWithin(windows, span) : [])));
      return { check, verdict, reason, lines, faults: windows.filter((window) => active.has(window)) };
    })
    .map((finding) => ({ finding, sinceMs: sinceMs(finding) }))
    .sort(
      (a, b) => SEVERITY[a.finding.verdict] - SEVERITY[b.finding.verdict] || earlier(a.sinceMs, b.sinceMs),
    )
    .map(({ finding }) => finding);
}

/** When it first went wrong; an indented line only explains the one above it. Infinity: nobody can tell. */
const sinceMs = ({ lines }: Finding): number =>
  lines.reduce(
    (first, { text, span }) => (span && !text.startsWith(' ') ? Math.min(first, span.fromMs) : first),
    Number.POSITIVE_INFINITY,
  );

/** Two that are both never are in no order. */
const earlier = (a: number, b: number): number => (a === b ? 0 : a - b);

/** Times and revisions, as checks write them (checks/verdict.ts): `+3.412 s`, `revision 12`. */
const TIME = /\+(\d+(?:\.\d+)?) s\b/g;
const REVISION = /\brevision (\d+)\b/g;
/** What took long began as much earlier. */
const TOOK = /\btook (\d+) ms\b/;

function spansOf(run: RecordedRun, verdicts: readonly Verdict[]): (line: string) => Span | undefined {
  const wanted = new Set(
    verdicts.flatMap(({ counterExample = [] }) =>
      counterExample.flatMap((line) => [...line.matchAll(REVISION)].map(([, revision]) => Number(revision))),
    ),
  );
  const seenMs = new Map<number, number>();
  for (const { revision, atMs } of wanted.size > 0 ? run.etcd : [])
    if (wanted.has(revision)) seenMs.set(revision, atMs);
  return (line) => {
    const times = [...line.matchAll(TIME)].map(([, seconds]) => Number(seconds) * 1000);
    if (times.length === 0)
      for (const [, revision] of line.matchAll(REVISION)) times.push(...timesOf(seenMs, Number(revision)));
    if (times.length === 0) return undefined;
    const tookMs = Number(TOOK.exec(line)?.[1] ?? 0);
    return { fromMs: Math.max(0, Math.min(...times) - tookMs), toMs: Math.max(...times) };
  };
}

const timesOf = (seenMs: ReadonlyMap<number, number>, revision: number): readonly number[] => {
  const atMs = seenMs.get(revision);
  return atMs === undefined ? [] : [atMs];
};

/** Every moment that the findings speak of. */
export const momentsOf = (all: readonly Finding[]): readonly number[] =>
  all.flatMap(({ lines }) => lines.flatMap(({ span }) => (span ? [span.fromMs, span.toMs] : [])));
