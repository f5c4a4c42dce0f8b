// A cluster in containers for one file of system tests, and faults in it: what is
// injected must show, and nothing of it may be left.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { openContainers } from '../../src/cluster/containers.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import type { Deployment } from '../../src/rig/deployment.ts';
import type { createNemesis, Nemesis } from '../../src/rig/faults/nemesis.ts';
import type { FaultSpec } from '../../src/rig/faults/spec.ts';
import { awaitReady } from '../../src/rig/lifecycle.ts';
import { parseTopology, type TopologyInput } from '../../src/rig/topology.ts';

export const clock = createSystemClock();

export interface FaultCluster extends AsyncDisposable {
  readonly deployment: Deployment;
  /** Of the test's own; goes with the cluster. */
  readonly folder: string;
}

/** Resolves when the cluster is ready. */
export async function startFaultCluster(input: TopologyInput): Promise<FaultCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-rig-'));
  const mode = await openContainers(clock, () => undefined);
  const signal = AbortSignal.timeout(120_000);
  const topology = parseTopology(input, 'test');
  const deployment = await mode.deploy({ topology, runId: newRunId(), folder, absentAtStart: [], signal });
  await awaitReady({ deployment, clock, timeoutMs: 60_000, signal });
  return {
    deployment,
    folder,
    [Symbol.asyncDispose]: async () => {
      await deployment.teardown();
      await mode[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Recorded = Parameters<Parameters<typeof createNemesis>[1]>[0];

/** Injects, looks, heals; the record, which this empties first, must then tell `phases`. */
export function createDuring(options: {
  readonly nemesis: () => Nemesis;
  readonly record: Recorded[];
  readonly phases: readonly string[];
}): (spec: FaultSpec, look: () => Promise<void>) => Promise<void> {
  const { record } = options;
  let hits = 0;
  return async (spec, look) => {
    const nemesis = options.nemesis();
    record.length = 0;
    const id = `hit ${++hits}`;
    await nemesis.inject(id, spec);
    try {
      await look();
    } finally {
      await nemesis.heal(id);
    }
    expect(record.map(phaseOf)).toEqual(options.phases);
  };
}

/** What was expected and met goes by its words, without the name of the fault. */
function phaseOf(event: Recorded): string {
  if (event.type === 'nemesis') return event.phase;
  return event.outcome === 'met' ? event.what.replace(/ (before|after) .*/, ' $1') : JSON.stringify(event);
}
