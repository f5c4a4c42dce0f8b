// Who is hit: members by name, or by what they are at that moment.

import { RigError } from '../../base/errors.ts';
import { below, type Random } from '../../base/random.ts';

/**
 * A member's name, one of these, or several of both. Of the nodes: `leader` (whose engine leads),
 * `follower` (one whose engine doesn't), `one`, `minority`, `majority`, `all`. Of etcd's
 * members: `etcd-leader`, `etcd-follower`, `etcd-one`, `etcd-minority`, `etcd-majority`,
 * `etcd-all`.
 */
export type Selector = string | readonly string[];

/** For people. */
export const describeSelector = (selector: Selector): string =>
  typeof selector === 'string' ? selector : selector.join(', ');

/** Whether it says what somebody is, not who. */
export const isDrawn = (selector: Selector): selector is string =>
  typeof selector === 'string' && DRAWS[selector] !== undefined;

/** `leader, follower, …`, for people. */
export const describeDraws = (): string => Object.keys(DRAWS).join(', ');

/** The cluster as it is when somebody is to be chosen. */
export interface ClusterView {
  /** Nodes that run now. */
  readonly nodes: readonly string[];
  /** Those of them that have an engine. */
  readonly engines: readonly string[];
  readonly etcd: readonly string[];
  readonly consumers: readonly string[];
  /** The node whose engine leads. */
  readonly leader: string | undefined;
  readonly etcdLeader: string | undefined;
}

/**
 * The members chosen, never none. Throws `not_found` for a name that the cluster
 * doesn't have, or where nobody is what is asked for.
 */
export function select(selector: Selector, view: ClusterView, random: Random): readonly string[] {
  if (typeof selector !== 'string') return [...new Set(selector.flatMap((one) => select(one, view, random)))];
  const draw = DRAWS[selector];
  if (draw === undefined) return [named(selector, view)];
  const chosen = draw(view, random).filter((name) => name !== undefined);
  if (chosen.length > 0) return chosen;
  throw new RigError('not_found', `nobody in the cluster is '${selector}' now`);
}

type Draw = (view: ClusterView, random: Random) => readonly (string | undefined)[];

const half = (all: readonly string[]): number => Math.floor((all.length - 1) / 2);

const DRAWS: Readonly<Record<string, Draw>> = {
  leader: ({ leader }) => [leader],
  follower: ({ engines, leader }, random) => some(without(engines, leader), 1, random),
  one: ({ nodes }, random) => some(nodes, 1, random),
  minority: ({ nodes }, random) => some(nodes, half(nodes), random),
  majority: ({ nodes }, random) => some(nodes, half(nodes) + 1, random),
  all: ({ nodes }) => nodes,
  'etcd-leader': ({ etcdLeader }) => [etcdLeader],
  'etcd-follower': ({ etcd, etcdLeader }, random) => some(without(etcd, etcdLeader), 1, random),
  'etcd-one': ({ etcd }, random) => some(etcd, 1, random),
  'etcd-minority': ({ etcd }, random) => some(etcd, half(etcd), random),
  'etcd-majority': ({ etcd }, random) => some(etcd, Math.floor(etcd.length / 2) + 1, random),
  'etcd-all': ({ etcd }) => etcd,
};

const without = (all: readonly string[], name: string | undefined): readonly string[] =>
  all.filter((one) => one !== name);

/** So many of them, at random, in their own order. */
function some(all: readonly string[], count: number, random: Random): readonly string[] {
  const left = [...all];
  const drawn = new Set<string>();
  while (drawn.size < count && left.length > 0)
    drawn.add(left.splice(below(random, left.length), 1)[0] as string);
  return all.filter((name) => drawn.has(name));
}

function named(name: string, { nodes, etcd, consumers }: ClusterView): string {
  if ([...nodes, ...etcd, ...consumers].includes(name)) return name;
  throw new RigError('not_found', `the cluster has no member '${name}' now`, {
    next: `Choose one of ${[...etcd, ...nodes, ...consumers].join(', ')}, or of ${describeDraws()}.`,
  });
}
