// Which faults may overlap: so many that the cluster can still be healed, and none
// that hides whether another one bites.

import { faultOf } from '../faults/catalogue.ts';
import type { FaultSpec } from '../faults/spec.ts';
import type { Place } from './menu.ts';
import type { PlannedFault } from './plan.ts';

/** More at once, and next to nothing works that could go wrong. */
export const MOST_AT_ONCE = 3;
/** A member has so long to come back before the next fault is to hit it. */
const APART_MS = 5_000;

/** What is wrong with the plan, as sentences; none when it is legal. In the order in which they begin. */
export const conflicts = (faults: readonly PlannedFault[], place: Place): readonly string[] =>
  faults.flatMap((fault, index) => conflictsWith(fault, faults.slice(0, index), place));

/** What speaks against one more, after those that begin before it. */
export function conflictsWith(
  fault: PlannedFault,
  earlier: readonly PlannedFault[],
  place: Place,
): readonly string[] {
  const close = earlier
    .filter(({ healMs }) => fault.atMs < healMs + APART_MS)
    .filter((other) => !goTogether(fault.fault, other.fault, place))
    .map(({ as }) => `${as} and ${fault.as} are too close to each other`);
  const atOnce = earlier.filter(({ healMs }) => fault.atMs < healMs).length + 1;
  return atOnce > MOST_AT_ONCE ? [...close, `${fault.as} is one more than ${MOST_AT_ONCE} at a time`] : close;
}

export function goTogether(one: FaultSpec, other: FaultSpec, place: Place): boolean {
  const families = [faultOf(one).family, faultOf(other).family];
  const hit = membersOf(other, place);
  const shared = membersOf(one, place).some((member) => hit.includes(member));
  // Whoever is away from etcd meanwhile finds that what it missed is gone.
  if ([one, other].some(({ fault }) => fault === 'etcd-compaction') && !shared) return true;
  // They need the rest of the cluster to be well: etcd to have a majority, nodes to be there.
  if (families.some((family) => family === 'etcd' || family === 'cluster')) return false;
  if ([one, other].some(isBridge) && [one, other].some(({ fault }) => fault === 'cut')) return false;
  if (!shared) return true;
  // Of two faults of the same links neither would show; of one of a member that doesn't run, nothing does.
  const halts = [one, other].some(({ fault }) => HALTING.has(fault));
  return !halts && families.filter((family) => family === 'network').length === 1;
}

/** Parts those that it isn't on from one another, too: a cut between them would not show. */
const isBridge = (spec: FaultSpec): boolean => spec.fault === 'partition' && spec.shape === 'bridge';

const HALTING: ReadonlySet<string> = new Set([
  'kill',
  'stop',
  'pause',
  'restart',
  'out-of-memory',
  'disk-errors',
]);

function membersOf(spec: FaultSpec, { nodes, etcd }: Place): readonly string[] {
  if ('on' in spec) return [spec.on].flat();
  if (spec.fault === 'cut') return [spec.from, spec.to].flat();
  if (spec.fault === 'etcd-compaction') return etcd;
  return [...nodes.map(({ name }) => name), ...etcd];
}
