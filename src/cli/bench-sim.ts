// How fast simulated time passes: chaos of a minute on one core and on all, and what
// a node costs, from few nodes to many. Counted on one core is the processor's time,
// for the machine is shared.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import type { Scenario } from '../rig/scenario.ts';
import { CLUSTER_UP } from '../rig/scenarios/common.ts';
import { median } from './distribution.ts';
import type { SimulationResult } from './simulation.ts';
import { openPool, type SimulationPool } from './simulation-pool.ts';

const DURATION_MS = 60_000;
/** The first are slower: the code has yet to be compiled. */
const WARM_UP = 3;
const SIZES = [3, 30, 300];
const CALM_MS = 20_000;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

export async function benchSim({ rounds }: { readonly rounds: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sim-'));
  try {
    {
      // Other threads would count for the processor's time of this process.
      await using pool = openPool(1);
      await onOneCore(pool, { folder, rounds });
      for (const size of SIZES) await ofNodes(pool, { folder, size });
    }
    await onAllCores(folder, rounds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timed(work: () => Promise<SimulationResult>) {
  const before = process.cpuUsage();
  const found = await work();
  const { user, system } = process.cpuUsage(before);
  return { found, cpuMs: (user + system) / 1_000 };
}

async function onOneCore(
  pool: SimulationPool,
  { folder, rounds }: { readonly folder: string; readonly rounds: number },
): Promise<void> {
  const factors: number[] = [];
  let events = 0;
  let cpuMs = 0;
  for (let seed = 1; seed <= rounds + WARM_UP; seed += 1) {
    const place = join(folder, `one-${seed}`);
    const request = {
      scenario: 'chaos',
      seed,
      durationMs: DURATION_MS,
      folder: place,
      keepsRecord: 'unless-valid',
    } as const;
    const { found, cpuMs: ms } = await timed(() => pool.run(0, request));
    if (seed <= WARM_UP) continue;
    factors.push(found.simulatedMs / ms);
    events += found.events;
    cpuMs += ms;
  }
  print(
    `one core: ${median(factors).toFixed(0)} times real time in the median of ${rounds} seeds ` +
      `(${Math.min(...factors).toFixed(0)} to ${Math.max(...factors).toFixed(0)}), ` +
      `${((1_000 * cpuMs) / events).toFixed(1)} µs of processor time an event`,
  );
}

async function onAllCores(folder: string, rounds: number): Promise<void> {
  const clock = createSystemClock();
  await using pool = openPool(rounds);
  const seeds = Array.from({ length: rounds }, (_, index) => index + 1);
  const startedMs = clock.monotonicMs();
  const work = async (thread: number): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const place = join(folder, `all-${seed}`);
      await pool.run(thread, {
        scenario: 'chaos',
        seed,
        durationMs: DURATION_MS,
        folder: place,
        keepsRecord: 'unless-valid',
      });
    }
  };
  await Promise.all(Array.from({ length: pool.size }, (_, thread) => work(thread)));
  const minutes = (clock.monotonicMs() - startedMs) / 60_000;
  print(`${pool.size} cores: ${(rounds / minutes).toFixed(0)} seeds a minute by the clock, start and all`);
}

/** Registered, with heartbeats and comparisons, and nothing else to do. */
async function ofNodes(
  pool: SimulationPool,
  { folder, size }: { readonly folder: string; readonly size: number },
): Promise<void> {
  const scenario: Scenario = {
    name: 'calm',
    title: 'Nodes that have nothing to do',
    topology: { nodes: Array.from({ length: size }, (_, index) => ({ name: `node${index + 1}` })) },
    script: [...CLUSTER_UP, { hold: CALM_MS, why: 'nothing happens' }],
    checks: ['one-leader'],
  };
  const request = {
    scenario,
    seed: 1,
    durationMs: undefined,
    folder: join(folder, `calm-${size}`),
    keepsRecord: 'unless-valid',
  } as const;
  const { found, cpuMs } = await timed(() => pool.run(0, request));
  const nodeSeconds = (size * found.simulatedMs) / 1_000;
  print(
    `${String(size).padStart(3)} nodes: ${((1_000 * cpuMs) / nodeSeconds).toFixed(0)} µs of processor time a node-second`,
  );
}
