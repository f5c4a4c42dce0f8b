// Links that are slow to take what is sent: each by itself, in each direction.

import { flows } from './link-evidence.ts';
import { between, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const bandwidth = linked<SpecOf<'bandwidth'>>({
  does: 'limit',
  describe: ({ on, kbitPerSecond }) => `links of ${kbitPerSecond} kbit/s at ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ spec: { kbitPerSecond }, members }, everyone) =>
    between(members, everyone, { does: 'limit', kbitPerSecond }),
  shows: (links, paths, { kbitPerSecond }) => flows(links, paths, { kbitPerSecond, limited: true }),
  healed: (links, paths, { kbitPerSecond }) => flows(links, paths, { kbitPerSecond, limited: false }),
});
