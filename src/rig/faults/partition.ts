// Members in groups that can't reach each other, in both directions.

import { RigError } from '../../base/errors.ts';
import type { Path } from '../deployment.ts';
import { lost, passes } from './link-evidence.ts';
import { across, linked } from './linked.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

type Partition = SpecOf<'partition'>;

export const partition = linked<Partition>({
  does: 'drop',
  describe: ({ shape, on }) => `a partition (${shape}) of ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  links: ({ spec, members }, everyone) =>
    partedBy(spec.shape, members, everyone).map((path) => ({ ...path, effect: { does: 'drop' } })),
  shows: lost,
  healed: passes,
});

/**
 * The paths that are cut, each direction by itself. `everyone` in the order of the topology.
 * Throws `invalid` for a ring of less than three.
 */
export function partedBy(
  shape: Partition['shape'],
  chosen: readonly string[],
  everyone: readonly string[],
): readonly Path[] {
  const others = everyone.filter((name) => !chosen.includes(name));
  if (shape === 'isolate') return [...across(chosen, everyone), ...across(others, chosen)];
  if (shape === 'halves') return apart(chosen, others);
  if (shape === 'bridge') {
    // Every other one, so that neither half gets all of etcd or all of the nodes.
    const side = (rest: number): readonly string[] => others.filter((_, index) => index % 2 === rest);
    return apart(side(0), side(1));
  }
  return across(chosen, chosen).filter(({ from, to }) => !neighbours(chosen, from, to));
}

const apart = (some: readonly string[], others: readonly string[]): readonly Path[] => [
  ...across(some, others),
  ...across(others, some),
];

/** In a ring in which each reaches as many to its left as to its right, so that it is of a majority. */
function neighbours(ring: readonly string[], one: string, other: string): boolean {
  if (ring.length < 3) {
    throw new RigError('invalid', `a ring of majorities takes three members, here are ${ring.length}`);
  }
  const places = Math.abs(ring.indexOf(one) - ring.indexOf(other));
  // Three in a ring would all reach each other: these are a line.
  if (ring.length === 3) return places === 1;
  const others = Math.floor(ring.length / 2);
  return Math.min(places, ring.length - places) <= Math.ceil(others / 2);
}
