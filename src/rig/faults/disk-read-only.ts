// The disk takes no more writes, as the kernel mounts one that it doesn't trust any more.

import { diskCondition } from './disk-condition.ts';
import type { SpecOf } from './spec.ts';

export const diskReadOnly = diskCondition<SpecOf<'disk-read-only'>>({
  name: () => 'read-only disk',
  condition: () => ({ is: 'read-only' }),
  shows: ({ outcome }) => outcome === 'read-only',
});
