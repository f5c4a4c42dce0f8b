// No block of the disk is free: a file of the rig's, outside of every volume, has them.

import { diskCondition } from './disk-condition.ts';
import type { SpecOf } from './spec.ts';

export const diskFull = diskCondition<SpecOf<'disk-full'>>({
  name: () => 'full disk',
  condition: () => ({ is: 'full' }),
  shows: ({ outcome }) => outcome === 'disk-full',
});
