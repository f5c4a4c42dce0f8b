// Every bound that the scenario set was kept, by the work clock. What was missed because the machine left too
// little time for it is unknown.
//
// Assumes that whoever recorded an expectation measured it; a bound that could
// not be observed counts as unknown, never as kept.

import type { Check, ExpectationEvent } from '../history.ts';
import { answersOf, count, seconds } from './verdict.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('expectations');

export const expectations: Check = (run) => {
  const all = run.history.filter((event) => event.type === 'expectation');
  const clock = workClockOf(run);
  const by = Map.groupBy(all, (event) => outcomeOf(event, clock));
  const lines = (some: readonly ExpectationEvent[]) => some.flatMap((event) => describe(event, clock));
  const { missed = [], unseen = [] } = Object.fromEntries(by);
  const [first] = missed;
  if (first !== undefined) {
    return invalid(`${count(missed.length, 'expectation')} missed: ${first.what}`, lines(missed));
  }
  const [unobserved] = unseen;
  if (unobserved !== undefined) return unknown(`could not be observed: ${unobserved.what}`, lines(unseen));
  if (all.length === 0) return unknown('the run came to no expectation');
  return valid(`${count(all.length, 'expectation')} met`);
};

/** What became of it, by the clock of the machine that it was measured on. */
export function outcomeOf(event: ExpectationEvent, clock: WorkClock): ExpectationEvent['outcome'] {
  const { outcome, boundMs = Number.POSITIVE_INFINITY, measuredMs = 0, isFinal = false } = event;
  if (outcome === 'unseen' || measuredMs <= boundMs) return outcome;
  if (workedMs(event, clock) > boundMs) return 'missed';
  return outcome === 'missed' && !isFinal ? 'unseen' : outcome;
}

const workedMs = ({ atMs, measuredMs = 0 }: ExpectationEvent, clock: WorkClock): number =>
  clock.workedMs({ fromMs: atMs - measuredMs, toMs: atMs });

function describe(event: ExpectationEvent, clock: WorkClock): readonly string[] {
  const { boundMs, measuredMs } = event;
  const bound = boundMs === undefined ? '' : ` (within ${Math.round(boundMs)} ms`;
  const took = measuredMs === undefined ? '' : `, took ${Math.round(measuredMs)} ms`;
  const worked = Math.round(workedMs(event, clock));
  // Nobody wants to know by how little a good machine differs.
  const slow =
    measuredMs !== undefined && worked < 0.9 * measuredMs
      ? `, ${worked} ms without what the machine was slow`
      : '';
  const timing = bound === '' ? '' : `${bound}${took}${slow})`;
  return [
    `${seconds(event.atMs)}: ${event.what}${timing}`,
    `  last seen: ${event.seen.replaceAll(/\s*\n\s*/g, ' ')}`,
  ];
}
