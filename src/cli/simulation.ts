// One simulated run, in whichever thread has nothing else to do.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catchUnhandled, watchForReal, whenIdle } from '../base/event-loop.ts';
import type { Machine } from '../rig/machine.ts';
import { makeFolder } from '../rig/make-folder.ts';
import { type RunResult, runScenario } from '../rig/run.ts';
import type { Scenario } from '../rig/scenario.ts';
import { scenariosNamed } from '../rig/scenarios/catalogue.ts';
import { createSimulation } from '../simulator/mode.ts';
import { digestOfRecord } from './record-digest.ts';

/** Loaded before anything begins: in simulated time nothing is read from a real disk (daemon/roles.ts). */
await Promise.all([
  import('../daemon/agent/agent.ts'),
  import('../daemon/api/api.ts'),
  import('../daemon/cluster.ts'),
  import('../daemon/engine/engine.ts'),
  import('../daemon/engine/notify/notifier.ts'),
  import('../daemon/peers.ts'),
  import('../daemon/secret.ts'),
]);

/** Whatever is simulated has a core of its own. */
const IDLE: Machine = { cores: 1, runnable: () => 0 };

export interface SimulationRequest {
  readonly scenario: string;
  readonly seed: number;
  readonly durationMs: number | undefined;
  readonly folder: string;
  /** Default: `always` (rig/run.ts). */
  readonly keepsRecord?: 'always' | 'unless-valid';
}

export interface SimulationResult {
  readonly result: RunResult;
  readonly simulatedMs: number;
  readonly events: number;
  /** Of all that was recorded, byte by byte. */
  readonly recordDigest: string;
}

/** Rejects as {@link runScenario} does. */
export async function simulate(
  { scenario: name, seed, durationMs, folder, keepsRecord = 'always' }: SimulationRequest,
  onProgress: (what: string) => void = () => undefined,
): Promise<SimulationResult> {
  const [scenario] = scenariosNamed([name], { seed, durationMs });
  if (scenario === undefined) throw new Error(`there is no scenario '${name}'`);
  return simulateScenario(scenario, { seed, folder, keepsRecord }, onProgress);
}

/** As {@link simulate}, of a scenario that no catalogue has. */
export async function simulateScenario(
  scenario: Scenario,
  { seed, folder, keepsRecord = 'always' }: Pick<SimulationRequest, 'seed' | 'folder' | 'keepsRecord'>,
  onProgress: (what: string) => void = () => undefined,
): Promise<SimulationResult> {
  const { elapsed, ...simulation } = createSimulation({
    seed,
    loop: { whenIdle, watchForReal, catchUnhandled },
    writeFile: (path, file, text) => {
      makeFolder(path);
      writeFileSync(join(path, file), text);
    },
  });
  const result = await runScenario({
    ...simulation,
    scenario,
    seed,
    mode: 'simulated',
    folder,
    runId: `simulated-${seed}`,
    signal: new AbortController().signal,
    keep: 'never',
    machine: IDLE,
    keepsRecord,
    onProgress,
  });
  const { ms, events } = elapsed();
  return { result, simulatedMs: ms, events, recordDigest: digestOfRecord(folder) };
}
