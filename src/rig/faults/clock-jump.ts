// A wall clock that is set forth and back.

import { clockCondition } from './clock-condition.ts';
import type { SpecOf } from './spec.ts';

export const clockJump = clockCondition<SpecOf<'clock-jump'>>({
  name: ({ spanMs }) => `clock jumping within ± ${spanMs} ms`,
  condition: ({ spanMs }, random) => ({ is: 'jumping', spanMs, seed: random.uint32() }),
});
