// A plan as a scenario: the work begins, faults come and go by the plan's clock,
// then the cluster is whole again, goes on working, and comes to rest.

import type { Scenario, Step } from '../scenario.ts';
import { followAll, recoveryMs, whole, worksFor } from '../scenarios/afterwards.ts';
import { ALWAYS, UNDER_WORK } from '../scenarios/common.ts';
import { parseTopology } from '../topology.ts';
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
      { together: plan.faults.map(lifeOf) },
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

const lifeOf = ({ as, fault, atMs, healMs }: PlannedFault): Step => ({
  inOrder: [
    { hold: atMs, since: 'begin', why: `${as} is due` },
    { inject: fault, as },
    { hold: healMs, since: 'begin', why: `${as} lasts` },
    { heal: as },
  ],
});
