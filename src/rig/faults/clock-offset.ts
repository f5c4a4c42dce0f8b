// A wall clock that is ahead or behind.

import { clockCondition } from './clock-condition.ts';
import type { SpecOf } from './spec.ts';

export const clockOffset = clockCondition<SpecOf<'clock-offset'>>({
  name: ({ offsetMs }) => `clock ${Math.abs(offsetMs)} ms ${offsetMs < 0 ? 'behind' : 'ahead'}`,
  condition: ({ offsetMs }) => ({ is: 'offset', offsetMs }),
});
