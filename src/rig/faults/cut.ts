// What some send to others is lost: in one direction, or in both.

import { RigError } from '../../base/errors.ts';
import { lost, passes } from './link-evidence.ts';
import { across, between, linked } from './linked.ts';
import { describeSelector, isDrawn, select } from './select.ts';
import type { SpecOf } from './spec.ts';

const DROP = { does: 'drop' } as const;

export const cut = linked<SpecOf<'cut'>>({
  does: 'drop',
  describe: ({ from, to, oneWay }) =>
    `a cut ${oneWay ? 'from' : 'between'} ${describeSelector(from)} ${oneWay ? 'to' : 'and'} ${describeSelector(to)}`,
  resolve: (spec, view, random) => {
    const [from, to] = [select(spec.from, view, random), select(spec.to, view, random)];
    if (across(from, to).length > 0) return { ...spec, from, to };
    // Another draw may choose others; names never will.
    const code = [spec.from, spec.to].flat().some(isDrawn) ? 'not_found' : 'invalid';
    throw new RigError(code, `${describeSelector(from)} can't be cut off from itself`, {
      next: 'Name others to cut it off from, or nobody for all of them.',
    });
  },
  members: ({ from, to }) => [...new Set([...from, ...to])],
  links: ({ spec: { from, to, oneWay } }) => {
    const [some, others] = [[from].flat(), [to].flat()];
    if (oneWay !== true) return between(some, others, DROP);
    return across(some, others).map((path) => ({ ...path, effect: DROP }));
  },
  shows: lost,
  healed: passes,
});
