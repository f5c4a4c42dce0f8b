// In which ways a plan of chaos can be smaller: fewer faults, then less work by fewer
// clients on a smaller cluster, then less time.

import type { Plan, PlannedFault } from '../chaos/plan.ts';
import { etcdMembers, parseTopology } from '../topology.ts';
import type { Work, Workload } from '../workload/spec.ts';
import { fewer, type Pass, withoutParts } from './reduce.ts';

/** A fault that lasts for less hardly shows. */
const SHORTEST_FAULT_MS = 500;
const SHORTEST_MS = 1_000;
const STEP_MS = 100;
/** Whoever looks whether the cluster works afterwards (scenarios/afterwards.ts) needs two. */
const FEWEST_NODES = 2;

/** In the order in which they are worth trying. */
export const PLAN_PASSES: readonly Pass<Plan>[] = [
  (plan) => withoutParts(plan.faults).map((faults) => ({ ...plan, faults })),
  (plan) => fewer(plan.workload.clients, 1).map((clients) => work(plan, { clients })),
  (plan) => withoutParts(kindsOf(plan)).map((kinds) => work(plan, { mix: mixOf(plan, kinds) })),
  (plan) =>
    fewer(plan.workload.volumes.most, 1).map((most) => work(plan, { volumes: volumesOf(plan, most) })),
  (plan) =>
    fewer(Math.ceil(plan.workload.ratePerSecond), 1).map((ratePerSecond) => work(plan, { ratePerSecond })),
  (plan) => plainer(plan).map((workload) => work(plan, workload)),
  smallerClusters,
  shorter,
];

const work = (plan: Plan, workload: Partial<Workload>): Plan => ({
  ...plan,
  workload: { ...plan.workload, ...workload },
});

const kindsOf = ({ workload }: Plan): readonly Work[] =>
  (Object.keys(workload.mix) as Work[]).filter((kind) => (workload.mix[kind] ?? 0) > 0);

const mixOf = ({ workload }: Plan, kinds: readonly Work[]): Workload['mix'] =>
  Object.fromEntries(kinds.map((kind) => [kind, workload.mix[kind]]));

const volumesOf = ({ workload }: Plan, most: number): Workload['volumes'] => ({ ...workload.volumes, most });

function plainer({ workload }: Plan): readonly Partial<Workload>[] {
  const { conditionalPercent, constrainedPercent, overwritePercent = 0, fileBytes, volumes } = workload;
  return [
    ...(conditionalPercent > 0 ? [{ conditionalPercent: 0 }] : []),
    ...(constrainedPercent > 0 ? [{ constrainedPercent: 0 }] : []),
    ...(overwritePercent > 0 ? [{ overwritePercent: 0 }] : []),
    ...(fileBytes.length > 1 ? [{ fileBytes: fileBytes.slice(0, 1) }] : []),
    ...(volumes.sizesGib.length > 1
      ? [{ volumes: { ...volumes, sizesGib: volumes.sizesGib.slice(0, 1) } }]
      : []),
  ];
}

/** Without members that no fault names, from the last on. */
function smallerClusters(plan: Plan): readonly Plan[] {
  const topology = parseTopology(plan.topology, 'the plan');
  const named = namesIn(plan.faults);
  const { nodes, consumers = [] } = plan.topology;
  const last = nodes.at(-1);
  const isMemberNamed = etcdMembers(topology).some((member) => named.has(member));
  return [
    ...(nodes.length > FEWEST_NODES && last !== undefined && !named.has(last.name)
      ? [{ ...plan.topology, nodes: nodes.slice(0, -1) }]
      : []),
    ...(consumers.length > 1 ? [{ ...plan.topology, consumers: consumers.slice(0, 1) }] : []),
    ...(topology.etcd.members > 1 && !isMemberNamed
      ? [{ ...plan.topology, etcd: { members: 1 as const } }]
      : []),
  ].map((smaller) => ({ ...plan, topology: smaller }));
}

/** Everything that is said of somebody in any of the faults. */
const namesIn = (faults: readonly PlannedFault[]): ReadonlySet<unknown> =>
  new Set(faults.flatMap(({ fault }) => Object.values(fault).flat()));

function shorter(plan: Plan): readonly Plan[] {
  const { durationMs, faults } = plan;
  const firstMs = Math.min(...faults.map(({ atMs }) => atMs), durationMs);
  const lastMs = Math.max(...faults.map(({ healMs }) => healMs), SHORTEST_MS);
  const found: Plan[] = [];
  if (lastMs < durationMs) found.push({ ...plan, durationMs: lastMs });
  const halfMs = half(durationMs);
  if (halfMs >= lastMs) found.push({ ...plan, durationMs: halfMs });
  // All of them earlier by as much as there is before the first, or by half of that.
  for (const byMs of faults.length === 0 ? [] : new Set([firstMs, half(firstMs)])) {
    if (byMs <= 0) continue;
    const moved = faults.map((fault) => ({ ...fault, atMs: fault.atMs - byMs, healMs: fault.healMs - byMs }));
    found.push({ ...plan, faults: moved, durationMs: Math.max(SHORTEST_MS, durationMs - byMs) });
  }
  for (const [index, fault] of faults.entries()) {
    const lastsMs = half(fault.healMs - fault.atMs);
    if (lastsMs >= SHORTEST_FAULT_MS)
      found.push({ ...plan, faults: faults.with(index, { ...fault, healMs: fault.atMs + lastsMs }) });
  }
  return found;
}

const half = (ms: number): number => STEP_MS * Math.floor(ms / 2 / STEP_MS);
