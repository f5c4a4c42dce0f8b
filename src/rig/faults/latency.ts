// Packets that take longer, each way.

import { takes } from './link-evidence.ts';
import { between, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const latency = linked<SpecOf<'latency'>>({
  does: 'delay',
  describe: ({ on, delayMs, jitterMs }) =>
    `latency of ${delayMs} ms ± ${jitterMs} ms at ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ spec: { delayMs, jitterMs }, members }, everyone) =>
    between(members, everyone, { does: 'delay', delayMs, jitterMs }),
  // Of packets in their order one that is late holds up those behind it: the median is never below the delay by much.
  shows: (links, paths, { delayMs, jitterMs }) =>
    takes(links, paths, { atLeastMs: Math.max(delayMs - jitterMs, delayMs / 2) }),
  healed: (links, paths, { delayMs }) => takes(links, paths, { lessThanMs: Math.max(delayMs / 2, 2) }),
});
