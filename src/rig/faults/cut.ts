// What some send to others is lost: in one direction, or in both.

import { lost, passes } from './link-evidence.ts';
import { across, between, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

const DROP = { does: 'drop' } as const;

export const cut = linked<SpecOf<'cut'>>({
  does: 'drop',
  describe: ({ from, to, oneWay }) =>
    `a cut ${oneWay ? 'from' : 'between'} ${describeSelector(from)} ${oneWay ? 'to' : 'and'} ${describeSelector(to)}`,
  resolve: (spec, view, random) => ({
    ...spec,
    from: select(spec.from, view, random),
    to: select(spec.to, view, random),
  }),
  members: ({ from, to }) => [...new Set([...from, ...to])],
  links: ({ spec: { from, to, oneWay } }) => {
    const [some, others] = [[from].flat(), [to].flat()];
    if (oneWay !== true) return between(some, others, DROP);
    return across(some, others).map((path) => ({ ...path, effect: DROP }));
  },
  shows: lost,
  healed: passes,
});
