// Two runs side by side: what their checks say, how long what was expected took,
// how their calls went, and what was broken. It judges nothing.

import type { ExpectationEvent, Judgement, RecordedRun, RunMode, Verdict } from '../history.ts';
import { type CallFigures, figuresByOperation } from './call-figures.ts';
import { faultWindows } from './fault-windows.ts';

export interface ComparedRun {
  readonly run: RecordedRun;
  readonly folder: string;
  readonly verdict: Judgement;
  readonly verdicts: readonly Verdict[];
}

/** What there is of each; undefined where one has none. */
export interface Pair<Value> {
  readonly name: string;
  readonly a: Value | undefined;
  readonly b: Value | undefined;
}

export interface Comparison {
  readonly modes: Readonly<Record<'a' | 'b', RunMode | 'containers'>>;
  /** Checks whose verdicts differ, that only one run has, or that find other fault with each. */
  readonly checks: readonly Pair<Verdict>[];
  /** Measured times, in milliseconds; what changed most comes first. */
  readonly expectations: readonly Pair<number>[];
  readonly calls: readonly Pair<CallFigures>[];
  /** How often, and for how long altogether; Infinity when it never ended. */
  readonly faults: readonly Pair<{ readonly count: number; readonly lastedMs: number }>[];
}

export function compare(a: ComparedRun, b: ComparedRun): Comparison {
  const byCheck = ({ verdicts }: ComparedRun) => new Map(verdicts.map((each) => [each.check, each]));
  return {
    modes: { a: a.run.mode ?? 'containers', b: b.run.mode ?? 'containers' },
    checks: pairs(byCheck(a), byCheck(b)).filter(differs),
    expectations: pairs(measured(a.run), measured(b.run)).sort((x, y) => changeOf(y) - changeOf(x)),
    calls: pairs(figuresByOperation(a.run), figuresByOperation(b.run)),
    faults: pairs(faultFigures(a.run), faultFigures(b.run)),
  };
}

/** What is valid in both may still have counted other things. */
function differs({ a, b }: Pair<Verdict>): boolean {
  if (a === undefined || b === undefined || a.verdict !== b.verdict) return true;
  return a.verdict !== 'valid' && a.reason !== b.reason;
}

/** In the order of the first, then those that only the second has. */
function pairs<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): Pair<Value>[] {
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => ({ name, a: a.get(name), b: b.get(name) }));
}

/** The second time that a run expects the same thing is another expectation. */
function measured(run: RecordedRun): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  const all = new Map<string, number>();
  const events = run.history.filter((event): event is ExpectationEvent => event.type === 'expectation');
  for (const { what, measuredMs } of events) {
    const times = (seen.get(what) ?? 0) + 1;
    seen.set(what, times);
    if (measuredMs !== undefined) all.set(times === 1 ? what : `${what} (${times})`, measuredMs);
  }
  return all;
}

/** What is in one run only changed most of all; some milliseconds more or less say nothing. */
function changeOf({ a, b }: Pair<number>): number {
  if (a === undefined || b === undefined) return Number.POSITIVE_INFINITY;
  return Math.abs(Math.log((b + 10) / (a + 10)));
}

function faultFigures(run: RecordedRun) {
  const all = new Map<string, { count: number; lastedMs: number }>();
  for (const { label, fromMs, toMs } of faultWindows(run)) {
    const { count, lastedMs } = all.get(label) ?? { count: 0, lastedMs: 0 };
    all.set(label, { count: count + 1, lastedMs: lastedMs + toMs - fromMs });
  }
  return all;
}
