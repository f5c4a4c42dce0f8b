// What clients were told of each volume can be put into one order, as if every
// call had taken effect at one moment between its beginning and its end.
//
// Assumes that the API answers from linearizable reads and single transactions
// (kv/kv.ts), that only clients change what a volume was ordered with, what is
// requested of it and its exports, that a deletion that was accepted never goes
// back, and that nobody called while the final state was read. What engines and
// agents change may change at any time; never back, as far as the ETag or etcd's own
// history tells of which revision an answer is. Nobody knows
// whether a change happened whose answer is missing or a 5xx: at any time after
// it was asked for, or not at all. Whether the condition of a change was fulfilled,
// etcd's own history says.

import type { Check } from '../history.ts';
import { brokenCondition } from './linearizability/conditions.ts';
import { culpritOf } from './linearizability/culprit.ts';
import { DEFAULT_BUDGET, isOptional, search } from './linearizability/search.ts';
import { calledModel, type VolumeHistory, volumeHistories } from './linearizability/volume-history.ts';
import { describeCulprit } from './linearizability/volume-words.ts';
import { answersOf, count } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('linearizable');

export const linearizable: Check = (run) => {
  const broken = brokenCondition(run);
  if (broken !== undefined) return invalid(broken.reason, broken.lines);
  const histories = [...volumeHistories(run)].filter(([, history]) => couldFail(history));
  const tooMany: string[] = [];
  let explored = 0;
  let overlapping = 0;
  for (const [id, history] of histories) {
    const found = search(history, calledModel);
    explored += found.explored;
    overlapping += overlaps(history);
    if (found.kind === 'not') {
      const culprit = culpritOf(history, calledModel);
      return invalid(
        `the answers about volume ${id} fit no order: ${culprit.completedBefore} of ` +
          `${count(history.length, 'call')} did, with one more nothing does`,
        describeCulprit(culprit),
      );
    }
    if (found.kind === 'unknown') tooMany.push(`${id}: ${count(history.length, 'call')}`);
  }
  if (tooMany.length > 0) {
    return unknown(
      `${count(tooMany.length, 'volume')} with more than ${DEFAULT_BUDGET} ways to order the calls`,
      tooMany,
    );
  }
  if (histories.length === 0) return unknown('no volume was looked at after a client had changed it');
  if (!histories.some(([, history]) => history.some(isToldOfOrdered)))
    return unknown('no client was answered about a volume but by who took its order');
  const answered = histories.flatMap(([, history]) => history.filter((timed) => !isOptional(timed)));
  return valid(
    `${count(answered.length, 'answer')} about ${count(histories.length, 'volume')} fit one order each; ` +
      `${overlapping} overlapped others, ${count(explored, 'configuration')} were tried`,
  );
};

/** It was shown to be there, and there is a second answer to hold against that; or it was never asked for. */
function couldFail(history: VolumeHistory): boolean {
  const isShown = history.some((timed) => !isOptional(timed) && timed.op.op.kind !== 'absent');
  const isOrdered = history.some(({ op: { op } }) => op.kind === 'create');
  return isShown && (history.length > 1 || !isOrdered);
}

/** The answer to an order can be held against nothing, and the look at etcd in the end is nobody's answer. */
const isToldOfOrdered = (timed: VolumeHistory[number]): boolean =>
  !isOptional(timed) && timed.op.call !== undefined && timed.op.op.kind !== 'create';

/** Calls that began before another one on the volume had ended. */
function overlaps(history: VolumeHistory): number {
  let latest = Number.NEGATIVE_INFINITY;
  let all = 0;
  for (const { invokedAt, completedAt } of history.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    if (invokedAt < latest) all += 1;
    if (completedAt !== Number.POSITIVE_INFINITY) latest = Math.max(latest, completedAt);
  }
  return all;
}
