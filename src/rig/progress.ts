// What people are told while a script is performed: what is awaited, and then whether it came.

import { describeStep } from './describe.ts';
import type { ExpectationEvent } from './history.ts';
import type { Unstamped } from './journal.ts';
import type { Step } from './scenario.ts';

type Expectation = Unstamped<ExpectationEvent>;

/** Before the step. */
export const announced = (step: Step): string =>
  isAwaited(step) ? `awaiting: ${describeStep(step)}` : describeStep(step);

/** Its description is of what is to become true, not of what is done. */
function isAwaited(step: Step): boolean {
  if ('together' in step) return step.together.some(isAwaited);
  if ('inOrder' in step) return step.inOrder.some(isAwaited);
  return ['await', 'call', 'io', 'probe', 'follow'].some((kind) => kind in step);
}

/** After the step; undefined where nothing was expected of it. */
export function concluded(expectations: readonly Expectation[]): string | undefined {
  const wrong = expectations.filter(isWrong);
  const [first] = wrong;
  if (first !== undefined) {
    const many = expectations.length > 1 ? `${wrong.length} of ${expectations.length} ` : '';
    return `${many}${first.outcome === 'unseen' ? 'unseen' : 'MISSED'}${after(first)}: ${first.what}; last seen: ${first.seen}`;
  }
  const [only, ...more] = expectations;
  if (only === undefined) return undefined;
  return more.length === 0 ? `met${after(only)}` : `all ${expectations.length} met`;
}

/** As the check `expectations` has it: what came too late, too. */
const isWrong = ({ outcome, measuredMs, boundMs }: Expectation): boolean =>
  outcome !== 'met' || (boundMs !== undefined && measuredMs !== undefined && measuredMs > boundMs);

const after = ({ measuredMs }: Expectation): string =>
  measuredMs === undefined ? '' : ` after ${(measuredMs / 1000).toFixed(1)} s`;
