// Every bound that the scenario set was kept.
//
// Assumes that whoever recorded an expectation measured it; a bound that could
// not be observed counts as unknown, never as kept.

import type { Check, ExpectationEvent } from '../history.ts';
import { answersOf, count, seconds } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('expectations');

export const expectations: Check = (run) => {
  const all = run.history.filter((event) => event.type === 'expectation');
  const missed = all.filter((event) => event.outcome === 'missed' || isLate(event));
  const [first] = missed;
  if (first !== undefined) {
    return invalid(`${count(missed.length, 'expectation')} missed: ${first.what}`, missed.flatMap(describe));
  }
  const unseen = all.filter((event) => event.outcome === 'unseen');
  const [unobserved] = unseen;
  if (unobserved !== undefined) {
    return unknown(`could not be observed: ${unobserved.what}`, unseen.flatMap(describe));
  }
  if (all.length === 0) return unknown('the run came to no expectation');
  return valid(`${count(all.length, 'expectation')} met`);
};

/** Met, but not in time. */
const isLate = (event: ExpectationEvent): boolean =>
  event.boundMs !== undefined && event.measuredMs !== undefined && event.measuredMs > event.boundMs;

function describe(event: ExpectationEvent): readonly string[] {
  const bound = event.boundMs === undefined ? '' : ` (within ${Math.round(event.boundMs)} ms`;
  const took = event.measuredMs === undefined ? '' : `, took ${Math.round(event.measuredMs)} ms`;
  const timing = bound === '' ? '' : `${bound}${took})`;
  return [
    `${seconds(event.atMs)}: ${event.what}${timing}`,
    `  last seen: ${event.seen.replaceAll(/\s*\n\s*/g, ' ')}`,
  ];
}
