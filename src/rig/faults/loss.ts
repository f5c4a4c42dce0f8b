// Packets that are lost at random.

import { lossOf } from './link-evidence.ts';
import { between, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const loss = linked<SpecOf<'loss'>>({
  does: 'lose',
  describe: ({ on, percent }) => `loss of ${percent} % of the packets at ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ spec: { percent }, members }, everyone) => between(members, everyone, { does: 'lose', percent }),
  shows: (links, paths, { percent }) => lossOf(links, paths, percent),
  healed: (links, paths) => lossOf(links, paths, 0),
});
