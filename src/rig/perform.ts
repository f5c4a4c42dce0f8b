// Performs a scenario's script, a step at a time.

import { describeStep } from './describe.ts';
import type { Scenario } from './scenario.ts';
import { createNames, type Stage } from './stage.ts';
import { act, type Scene } from './steps.ts';

/**
 * `onStep` is told before each step what it is. Throws `machine` when the rig
 * itself can't go on, `aborted` when it was told to stop; traffic has ended by then.
 */
export async function perform(
  stage: Stage,
  options: { readonly scenario: Scenario; readonly onStep: (description: string) => void },
): Promise<void> {
  const scene: Scene = { stage, names: createNames(stage), traffic: new Map() };
  try {
    for (const step of options.scenario.script) {
      stage.signal.throwIfAborted();
      options.onStep(describeStep(step));
      await act(scene, step);
    }
  } finally {
    await Promise.all([...scene.traffic.values()].map((traffic) => traffic.end()));
  }
}
