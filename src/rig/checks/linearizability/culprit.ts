// The part of a history that shows why it can't be put in order.

import { DEFAULT_BUDGET, isOptional, type Model, search, type Timed } from './search.ts';

export interface Culprit<State, Op> {
  /** With the completion of this one the history ceased to be linearizable: up to the one before, it was. */
  readonly last: Timed<Op>;
  /** Those that had to come before it or beside it, whatever became of all others; by invocation. */
  readonly others: readonly Timed<Op>[];
  /** Operations that completed before `last`. */
  readonly completedBefore: number;
  /** What the object could have been when `last`, or whatever else was left, fitted no more. */
  readonly states: readonly State[];
}

/** So many of the last operations are looked at one by one. */
const MOST_RELAXED = 12;
/** For each of them: that it matters is only assumed when this doesn't show that it doesn't. */
const RELAXED_BUDGET = 1_000;

/** Of a history that `search` found not to be linearizable within the same budget. */
export function culpritOf<State, Op>(
  history: readonly Timed<Op>[],
  model: Model<State, Op>,
  budget: number = DEFAULT_BUDGET,
): Culprit<State, Op> {
  const completions = history
    .filter((timed) => !isOptional(timed))
    .toSorted((a, b) => a.completedAt - b.completedAt);
  // Every beginning of a linearizable history is linearizable.
  let good = 0;
  let bad = completions.length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const isBad = search(until(history, completions[middle - 1]), model, budget).kind === 'not';
    if (isBad) bad = middle;
    else good = middle;
  }
  const last = completions[bad - 1];
  if (last === undefined) throw new RangeError('a history without completions is linearizable');
  const prefix = until(history, last);
  const found = search(prefix, model, budget);
  return {
    last,
    others: needed(prefix, last, model),
    completedBefore: bad - 1,
    states: found.kind === 'not' ? found.stuck : [],
  };
}

/** The history as it was when this one completed: what was open by then may still be left out. */
function until<Op>(history: readonly Timed<Op>[], last: Timed<Op> | undefined): readonly Timed<Op>[] {
  const atEnd = last?.completedAt ?? 0;
  return history
    .filter(({ invokedAt }) => invokedAt < atEnd)
    .map((timed) => (timed.completedAt > atEnd ? maybe(timed) : timed));
}

const maybe = <Op>(timed: Timed<Op>): Timed<Op> => ({ ...timed, completedAt: Number.POSITIVE_INFINITY });

/** Lets one after the other off, the latest last, as long as the rest still can't be put in order. */
function needed<State, Op>(
  prefix: readonly Timed<Op>[],
  last: Timed<Op>,
  model: Model<State, Op>,
): readonly Timed<Op>[] {
  let rest = prefix.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const required = rest.filter((timed) => timed !== last && !isOptional(timed));
  for (const timed of required.slice(-MOST_RELAXED)) {
    const without = rest.map((each) => (each === timed ? maybe(each) : each));
    if (search(without, model, RELAXED_BUDGET).kind === 'not') rest = without;
  }
  return rest.filter((timed) => timed !== last && !isOptional(timed)).slice(-MOST_RELAXED);
}
