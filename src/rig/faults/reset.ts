// Connections, open ones and new ones, that end with a reset.

import { connects } from './link-evidence.ts';
import { between, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const reset = linked<SpecOf<'reset'>>({
  does: 'reset',
  describe: ({ on }) => `resets of the connections of ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ members }, everyone) => between(members, everyone, { does: 'reset' }),
  // Before it is open, a reset of it is a refusal.
  shows: (links, paths) => connects(links, paths, ['refused', 'reset']),
  healed: (links, paths) => connects(links, paths, ['answered']),
});
