// A wall clock that goes too fast or too slow.

import { clockCondition } from './clock-condition.ts';
import type { SpecOf } from './spec.ts';

export const clockDrift = clockCondition<SpecOf<'clock-drift'>>({
  name: ({ rate }) => `clock at ${rate} times its speed`,
  condition: ({ rate }) => ({ is: 'drifting', rate }),
});
