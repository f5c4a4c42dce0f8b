// What people are told while a script is performed: what is awaited, and then whether it came.

import { outcomeOf } from './checks/expectations.ts';
import type { WorkClock } from './checks/work-clock.ts';
import { describeStep } from './describe.ts';
import type { ExpectationEvent } from './history.ts';
import type { Step } from './scenario.ts';

/** Before the step. */
export const announced = (step: Step): string =>
  isAwaited(step) ? `awaiting: ${describeStep(step)}` : describeStep(step);

/** Its description is of what is to become true, not of what is done. */
function isAwaited(step: Step): boolean {
  if ('together' in step) return step.together.some(isAwaited);
  if ('inOrder' in step) return step.inOrder.some(isAwaited);
  return ['await', 'call', 'io', 'probe', 'follow'].some((kind) => kind in step);
}

/** After the step, as the check `expectations` has it; undefined where nothing was expected of it. */
export function concluded(expectations: readonly ExpectationEvent[], clock: WorkClock): string | undefined {
  const judged = expectations.map((event) => ({ ...event, outcome: outcomeOf(event, clock) }));
  const wrong = judged.filter(({ outcome }) => outcome !== 'met');
  const [first] = wrong;
  if (first !== undefined) {
    const many = judged.length > 1 ? `${wrong.length} of ${judged.length} ` : '';
    return `${many}${first.outcome === 'unseen' ? 'unseen' : 'MISSED'}${after(first)}: ${first.what}; last seen: ${first.seen}`;
  }
  const [only, ...more] = judged;
  if (only === undefined) return undefined;
  return more.length === 0 ? `met${after(only)}` : `all ${judged.length} met`;
}

const after = ({ measuredMs }: ExpectationEvent): string =>
  measuredMs === undefined ? '' : ` after ${(measuredMs / 1000).toFixed(1)} s`;
