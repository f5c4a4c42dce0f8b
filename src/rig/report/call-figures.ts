// How many calls of each kind there were, how they ended, and how long they took.

import { type Call, calls } from '../checks/calls.ts';
import type { RecordedRun } from '../history.ts';
import { operationName, outcomeOf } from './call-columns.ts';

export interface CallFigures {
  readonly calls: number;
  /** Failed, of unknown outcome, or without an end; a refusal is an answer. */
  readonly wrong: number;
  /** Of those that were answered, refusals included; undefined without any. */
  readonly medianMs: number | undefined;
  readonly p95Ms: number | undefined;
}

export const figuresByOperation = (run: RecordedRun): ReadonlyMap<string, CallFigures> =>
  new Map(
    [...Map.groupBy(calls(run), ({ operation }) => operationName(operation))]
      .map(([name, all]) => [name, figuresOf(all)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

export function figuresOf(all: readonly Call[]): CallFigures {
  const answered = all.filter((call) => ['ok', 'refused'].includes(outcomeOf(call)));
  const tookMs = answered
    .map(({ invokedMs, completion }) => (completion?.atMs ?? invokedMs) - invokedMs)
    .sort((a, b) => a - b);
  return {
    calls: all.length,
    wrong: all.length - answered.length,
    medianMs: quantile(tookMs, 0.5),
    p95Ms: quantile(tookMs, 0.95),
  };
}

/** The nearest rank: a value that was measured, never one in between. */
const quantile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
