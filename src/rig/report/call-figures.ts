// How many calls of each kind there were, how they ended, and how long they took.

import { type Call, calls } from '../checks/calls.ts';
import type { RecordedRun } from '../history.ts';
import { operationName, outcomeOf } from './call-columns.ts';

export interface CallFigures {
  readonly calls: number;
  /** Answered by a no, such as 404, 409 or 412: the server works. */
  readonly refused: number;
  /** Failed, of unknown outcome, or without an end. */
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
  const refused = all.filter((call) => outcomeOf(call) === 'refused').length;
  const answered = all.filter((call) => ['ok', 'refused'].includes(outcomeOf(call)));
  const tookMs = answered
    .map(({ invokedMs, completion }) => (completion?.atMs ?? invokedMs) - invokedMs)
    .sort((a, b) => a - b);
  return {
    calls: all.length,
    refused,
    wrong: all.length - answered.length,
    medianMs: quantile(tookMs, 0.5),
    p95Ms: quantile(tookMs, 0.95),
  };
}

/** The nearest rank: a value that was measured, never one in between. */
const quantile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
