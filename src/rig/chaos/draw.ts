// Draws a plan from a seed.

import { between, byWeight, inPercent } from '../../base/choose.ts';
import { createSeededRandom, type Random } from '../../base/random.ts';
import { FAULTS } from '../faults/catalogue.ts';
import type { FaultName, FaultSpec } from '../faults/spec.ts';
import { etcdMembers, parseTopology, type TopologyInput } from '../topology.ts';
import type { Workload } from '../workload/spec.ts';
import { conflictsWith } from './conflicts.ts';
import { MENU, type Place } from './menu.ts';
import { DEFAULT_DURATION_MS, type Plan, type PlannedFault } from './plan.ts';

/** There have to be volumes first. */
const FIRST_FAULT_MS = 3_000;
const SHORTEST_MS = 2_000;
const LONGEST_MS = 12_000;
const LONGEST_PAUSE_MS = 4_000;
const STEP_MS = 100;
/** Where so many don't go with what is planned already, there is none for a while. */
const TRIES = 10;

/** The same seed and duration, the same plan. */
export function planOf(seed: number, durationMs: number = DEFAULT_DURATION_MS): Plan {
  const random = createSeededRandom(seed);
  const topology = drawTopology(random);
  const workload = drawWorkload(random);
  return { seed, durationMs, topology, workload, faults: drawFaults({ topology, durationMs, random }) };
}

function drawTopology(random: Random): TopologyInput {
  const members = inPercent(60, random) ? 3 : 1;
  const count = between(3, 4, random);
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `node${index + 1}`,
    // On the first two there is always room.
    capacityGib: index < 2 ? 16 : between(4, 12, random),
    labels: { zone: 'abcd'[index] ?? 'a' },
    // Both cost something: on some nodes only.
    disk: inPercent(25, random) ? ('breakable' as const) : ('plain' as const),
    clock: inPercent(40, random) ? ('own' as const) : ('host' as const),
  }));
  return {
    etcd: { members },
    nodes,
    consumers: inPercent(50, random) ? ['consumer1'] : ['consumer1', 'consumer2'],
    settings: {
      // A new leader among several members costs up to 2 s of a lease.
      leaseTtlSeconds: (members === 1 ? 3 : 5) + between(0, 2, random),
      reconcileIntervalMs: 500 * between(1, 4, random),
      maxMoves: between(1, 3, random),
      rebalancePercent: inPercent(50, random) ? 100 : 10 * between(2, 5, random),
    },
  };
}

function drawWorkload(random: Random): Workload {
  const rare = (): number => between(0, 2, random);
  return {
    clients: between(4, 6, random),
    ratePerSecond: between(6, 10, random),
    mix: {
      create: 4,
      clone: between(1, 3, random),
      resize: rare(),
      reexport: 2,
      move: between(1, 2, random),
      defragment: 1,
      compress: 1,
      remove: 2,
      get: 12,
      list: 4,
      write: 12,
      read: 8,
      drain: inPercent(50, random) ? 0.3 : 0,
      undrain: 1,
    },
    volumes: { most: between(4, 10, random), sizesGib: [0.25, 0.5, 1] },
    fileBytes: [1_000, 16_384, 262_144],
    overwritePercent: 25,
    conditionalPercent: 30,
    constrainedPercent: 15,
    leastPercent: 25,
  };
}

function drawFaults(options: {
  readonly topology: TopologyInput;
  readonly durationMs: number;
  readonly random: Random;
}): readonly PlannedFault[] {
  const { durationMs, random } = options;
  const topology = parseTopology(options.topology, 'the plan');
  const place: Place = { nodes: topology.nodes, etcd: etcdMembers(topology) };
  const faults: PlannedFault[] = [];
  for (
    let atMs = FIRST_FAULT_MS;
    atMs + SHORTEST_MS <= durationMs;
    atMs += draw(STEP_MS, LONGEST_PAUSE_MS, random)
  ) {
    const lastsMs = Math.min(draw(SHORTEST_MS, LONGEST_MS, random), durationMs - atMs);
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const fault = drawFault(place, random);
      if (fault === undefined) continue;
      const planned = { as: `fault-${faults.length + 1}`, fault, atMs, healMs: atMs + lastsMs };
      if (conflictsWith(planned, faults, place).length > 0) continue;
      faults.push(planned);
      break;
    }
  }
  return faults;
}

const draw = (leastMs: number, mostMs: number, random: Random): number =>
  STEP_MS * between(leastMs / STEP_MS, mostMs / STEP_MS, random);

const KINDS = (Object.keys(MENU) as FaultName[]).filter((name) => FAULTS[name] !== undefined);
const WEIGHTS = KINDS.map((name) => MENU[name]?.weight ?? 0);

function drawFault(place: Place, random: Random): FaultSpec | undefined {
  const index = byWeight(WEIGHTS, random);
  const kind = index === undefined ? undefined : KINDS[index];
  return kind === undefined ? undefined : MENU[kind]?.draw(place, random);
}
