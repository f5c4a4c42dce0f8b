// A plan as a scenario: the work begins, faults come and go by the plan's clock,
// then the cluster is whole again, goes on working, and comes to rest.

import type { FaultSpec } from '../faults/spec.ts';
import type { Scenario, Step } from '../scenario.ts';
import { followAll, recoveryMs, whole, worksFor } from '../scenarios/afterwards.ts';
import { ALWAYS, UNDER_WORK } from '../scenarios/common.ts';
import { etcdMembers, parseTopology } from '../topology.ts';
import { goTogether } from './conflicts.ts';
import type { Place } from './menu.ts';
import type { Plan, PlannedFault } from './plan.ts';
import { describePlan } from './words.ts';

export const CHAOS = {
  name: 'chaos',
  title: 'Whatever a seed draws: a cluster, clients at work, and faults that overlap',
} as const;

/**
 * The cluster is whole, and shows that it works: for longer than an agent may take to find its lease again after
 * the last fault, and then than a lease lasts that nobody renews (checks/heartbeats.ts).
 */
const calmMs = (leaseTtlSeconds: number): number => 2_000 * leaseTtlSeconds + 6_000;
const WORK = 'work';

/** `isGiven`: the plan's seed doesn't draw it. */
export function chaosScenario(
  plan: Plan,
  { isGiven = false }: { readonly isGiven?: boolean } = {},
): Scenario {
  const topology = parseTopology(plan.topology, `chaos ${plan.seed}`);
  const withinMs = recoveryMs(topology.settings);
  return {
    ...CHAOS,
    topology: plan.topology,
    script: [
      ...whole(withinMs, { setup: true }),
      ...followAll(topology),
      { workload: plan.workload, as: WORK, seed: plan.seed },
      { mark: 'begin' },
      { together: lives(plan.faults, { nodes: topology.nodes, etcd: etcdMembers(topology) }) },
      { hold: plan.durationMs, since: 'begin', why: 'the work goes on' },
      { mark: 'healed' },
      ...whole(withinMs, { since: 'healed' }),
      { hold: calmMs(topology.settings.leaseTtlSeconds), why: 'the cluster works undisturbed' },
      { endTraffic: WORK },
      ...worksFor(topology, withinMs),
    ],
    checks: [...ALWAYS, ...UNDER_WORK],
    plan: { data: plan, text: describePlan(plan, { isGiven }), durationMs: plan.durationMs, isGiven },
  };
}

/** What doesn't go together is apart by the plan's clock, which a busy machine may be behind of. */
const lives = (faults: readonly PlannedFault[], place: Place): readonly Step[] =>
  faults.map(({ as, fault, atMs, healMs }, index) => ({
    inOrder: [
      { hold: atMs, since: 'begin', why: `${as} is due` },
      { inject: fault, as, after: apartFrom(fault, faults.slice(0, index), place) },
      { hold: healMs, since: 'begin', why: `${as} lasts` },
      { heal: as },
    ],
  }));

const apartFrom = (fault: FaultSpec, earlier: readonly PlannedFault[], place: Place): readonly string[] =>
  earlier.filter((other) => !goTogether(fault, other.fault, place)).map(({ as }) => as);
