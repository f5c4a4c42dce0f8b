// One simulated run, in whichever thread has nothing else to do.

import { withoutStacks } from '../base/event-loop.ts';
import { IDLE_MACHINE, loadRoles, THIS_LOOP, writeFileNow } from '../cluster/simulation-host.ts';
import { type KeepsRecord, type RunResult, runScenario } from '../rig/run.ts';
import type { Scenario } from '../rig/scenario.ts';
import { type GivenPlan, scenarioOf } from '../rig/shrink/given.ts';
import { createSimulation } from '../simulator/mode.ts';

await loadRoles();

export interface SimulationRequest {
  /** By name, or one that no catalogue has. */
  readonly scenario: string | Scenario;
  readonly seed: number;
  readonly durationMs: number | undefined;
  /** What to run, in the place of what the seed draws and of the whole script. */
  readonly given?: GivenPlan;
  readonly folder: string;
  /** Default: `always` (rig/run.ts). */
  readonly keepsRecord?: KeepsRecord;
}

export interface SimulationResult {
  readonly result: RunResult;
  readonly simulatedMs: number;
  readonly events: number;
}

/** Rejects as {@link runScenario} does. */
export async function simulate(
  { scenario, ...request }: SimulationRequest,
  onProgress: (what: string) => void = () => undefined,
): Promise<SimulationResult> {
  const { seed, folder, keepsRecord = 'always' } = request;
  const { elapsed, ...simulation } = createSimulation({
    seed,
    loop: THIS_LOOP,
    writeFile: writeFileNow,
  });
  using _stacks = withoutStacks();
  const result = await runScenario({
    ...simulation,
    scenario: typeof scenario === 'string' ? scenarioOf({ ...request, scenario }) : scenario,
    seed,
    mode: 'simulated',
    folder,
    runId: `simulated-${seed}`,
    signal: new AbortController().signal,
    keep: 'never',
    machine: IDLE_MACHINE,
    keepsRecord,
    onProgress,
  });
  const { ms, events } = elapsed();
  return { result, simulatedMs: ms, events };
}
