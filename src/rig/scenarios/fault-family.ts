// What the scenarios of the fault catalogue share: clients at work while one fault
// after the other comes and goes, each from a cluster that is well to one that is
// well again, and every check that clients at work let judge.

import type { CheckName } from '../checks/catalogue.ts';
import type { FaultSpec } from '../faults/spec.ts';
import type { Scenario, Step } from '../scenario.ts';
import { parseTopology, type TopologyInput } from '../topology.ts';
import type { Workload } from '../workload/spec.ts';
import { followAll, recoveryMs, whole, worksFor } from './afterwards.ts';
import { ALWAYS, UNDER_WORK } from './common.ts';

export interface FaultInTurn {
  readonly inject: FaultSpec;
  /** How long it lasts once it shows. Default: {@link LASTS_MS}. */
  readonly lastsMs?: number;
  /** What more clients do from before it comes until it is gone, so that whoever is hit has to do with it. */
  readonly meanwhile?: Workload['mix'];
}

/** Several calls of every client. */
const LASTS_MS = 1_000;
/** There have to be volumes first. */
const FIRST_FAULT_MS = 3_000;
const WORK = 'work';

/** Everything that clients can do, but for drains: they take a node from the faults. */
export const ALL_WORK: Workload = {
  clients: 4,
  ratePerSecond: 8,
  mix: {
    create: 4,
    clone: 2,
    resize: 1,
    reexport: 2,
    move: 1,
    defragment: 1,
    compress: 1,
    remove: 2,
    get: 10,
    list: 4,
    write: 12,
    read: 8,
  },
  volumes: { most: 8, sizesGib: [0.25, 0.5, 1] },
  fileBytes: [1_000, 16_384, 262_144],
  conditionalPercent: 30,
  constrainedPercent: 15,
  leastPercent: 25,
};

export function faultFamily(family: {
  readonly name: string;
  readonly title: string;
  readonly topology: TopologyInput;
  readonly faults: readonly FaultInTurn[];
  /** Default: {@link ALL_WORK}. */
  readonly workload?: Workload;
  /** Before the clients begin. */
  readonly before?: readonly Step[];
  readonly checks?: readonly CheckName[];
}): Scenario {
  const { name, title, faults, workload = ALL_WORK, before = [], checks = [] } = family;
  const topology = parseTopology(family.topology, name);
  const withinMs = recoveryMs(topology.settings);
  return {
    name,
    title,
    topology: family.topology,
    script: [
      ...whole(withinMs, { setup: true }),
      ...followAll(topology),
      ...before,
      { workload, as: WORK },
      { hold: FIRST_FAULT_MS, why: 'the first volumes come to be' },
      ...faults.flatMap((fault, index) => lifeOf(fault, index, workload)),
      { hold: calmMs(topology.settings), why: 'the cluster works undisturbed' },
      { endTraffic: WORK },
      ...worksFor(topology, withinMs),
    ],
    checks: [...ALWAYS, ...UNDER_WORK, 'faults', 'no-stale-leases', ...checks],
  };
}

/** A whole lease of every agent, so that each is seen to keep it. */
const calmMs = ({ leaseTtlSeconds }: { readonly leaseTtlSeconds: number }): number =>
  1_000 * (leaseTtlSeconds + 1);

function lifeOf(
  { inject, lastsMs = LASTS_MS, meanwhile }: FaultInTurn,
  index: number,
  workload: Workload,
): readonly Step[] {
  const as = `${index + 1}-${inject.fault}`;
  const life = [{ inject, as }, { hold: lastsMs, why: `${as} lasts` }, { heal: as }];
  if (meanwhile === undefined) return life;
  const more = `${WORK}-${index + 1}`;
  return [
    // Whether it was enough is told by the fault, which shows or doesn't.
    { workload: { ...workload, mix: { list: 1, ...meanwhile }, leastPercent: 0 }, as: more },
    ...life,
    { endTraffic: more },
  ];
}
