// What the faults of the network have in common: links that are broken under the
// fault's own name, and paths on which that is seen.

import type { Deployment, Link, LinkEffect, Links, Path } from '../deployment.ts';
import type { Observation } from '../observation.ts';
import { allMembers } from '../topology.ts';
import type { Fault, Hit } from './fault.ts';
import type { NetworkFault } from './spec.ts';

type Parts<Spec> = Pick<Fault<Spec>, 'describe' | 'members' | 'resolve'> & {
  readonly does: LinkEffect['does'];
  /** Pure; the links of this hit, where these are all members of the cluster. */
  links(hit: Hit<Spec>, everyone: readonly string[]): readonly Link[];
  /** Of paths that no other fault touches. */
  shows(links: Links, paths: readonly Path[], spec: Spec): Promise<Observation>;
  healed(links: Links, paths: readonly Path[], spec: Spec): Promise<Observation>;
};

export function linked<Spec extends NetworkFault>(parts: Parts<Spec>): Fault<Spec> {
  const linksOf = ({ topology }: Deployment, hit: Hit<Spec>): readonly Link[] =>
    parts.links(hit, allMembers(topology));
  const looks =
    (sign: 'shows' | 'healed'): Fault<Spec>['shows'] =>
    async ({ deployment }, hit) => {
      const { links } = deployment;
      const free = untouched(linksOf(deployment, hit), hit.id, links.inForce());
      // Nothing can be told of a link that another fault has cut.
      if (free.length === 0)
        return { holds: false, hidden: true, seen: 'hidden by other faults of the same links' };
      return parts[sign](links, free, hit.spec);
    };
  return {
    family: 'network',
    describe: parts.describe,
    ...(parts.resolve !== undefined && { resolve: parts.resolve }),
    missing: ({ deployment }) => deployment.links.missing(parts.does),
    members: parts.members,
    inject: ({ deployment }, hit) => deployment.links.set(hit.id, linksOf(deployment, hit)),
    shows: looks('shows'),
    heal: ({ deployment }, { id }) => deployment.links.set(id, []),
    healed: looks('healed'),
  };
}

/** Paths of the links whose packets, and the answers to them, nobody but `id` touches. Pure. */
export function untouched(
  links: readonly Link[],
  id: string,
  inForce: ReturnType<Links['inForce']>,
): readonly Path[] {
  const touched = new Set(
    [...inForce].flatMap(([key, others]) =>
      key === id ? [] : others.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]),
    ),
  );
  return links.filter(({ from, to }) => !touched.has(`${from} ${to}`)).map(({ from, to }) => ({ from, to }));
}

/** Both directions between each of some and each of others; a pair that is named twice counts once. */
export function between(
  some: readonly string[],
  others: readonly string[],
  effect: LinkEffect,
): readonly Link[] {
  return [...across(some, others), ...across(others, some)]
    .filter(
      ({ from, to }, index, all) => all.findIndex((one) => one.from === from && one.to === to) === index,
    )
    .map((path) => ({ ...path, effect }));
}

/** From each of some to each of others, but to itself. */
export const across = (some: readonly string[], others: readonly string[]): readonly Path[] =>
  some.flatMap((from) => others.filter((to) => to !== from).map((to) => ({ from, to })));
