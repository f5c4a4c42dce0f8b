// Requests get through and are acted on, and whoever asked never hears of it.

import type { Path } from '../deployment.ts';
import { connects } from './link-evidence.ts';
import { across, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const halfOpen = linked<SpecOf<'half-open'>>({
  does: 'mute',
  describe: ({ on }) => `half-open connections to ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ members }, everyone) =>
    across(members, everyone).map((path) => ({ ...path, effect: { does: 'mute' } })),
  shows: (links, paths) => connects(links, paths.map(back), ['mute']),
  healed: (links, paths) => connects(links, paths.map(back), ['answered']),
});

/** Those who ask are at the other end. */
const back = ({ from, to }: Path): Path => ({ from: to, to: from });
