// Performs a scenario's script, a step at a time.

import { hasCode } from '../base/errors.ts';
import { createWorkClock } from './checks/work-clock.ts';
import { describeStep } from './describe.ts';
import { createNemesis } from './faults/nemesis.ts';
import { healthOf } from './health.ts';
import type { ExpectationEvent } from './history.ts';
import { createKernelMounts } from './kernel-mounts.ts';
import { announced, concluded } from './progress.ts';
import type { Scenario, Step } from './scenario.ts';
import type { Scene } from './scene.ts';
import { createSite } from './site.ts';
import { createNames, type Stage } from './stage.ts';
import { act, allOf } from './steps.ts';

/**
 * `onStep` is told before each step what it is, and after it what came of what it awaited. The script ends early where
 * what a step builds on is not there. Throws `machine` when the rig
 * itself can't go on, `aborted` when it was told to stop; traffic has ended by then.
 */
export async function perform(
  { journal, ...rest }: Stage,
  options: { readonly scenario: Scenario; readonly onStep: (description: string) => void },
): Promise<void> {
  const expected: ExpectationEvent[] = [];
  const stage: Stage = { ...rest, journal: overheard(journal, expected) };
  const names = createNames(stage);
  // What faults do by themselves until they are healed must not outlive a script that fails.
  const over = new AbortController();
  const signal = AbortSignal.any([stage.signal, over.signal]);
  const nemesis = createNemesis(
    createSite({ ...stage, signal }, names),
    stage.journal.record,
    healthOf(stage, names),
  );
  const kernel = createKernelMounts(stage);
  const scene: Scene = { stage, names, nemesis, kernel, traffic: new Map(), followers: new Map() };
  try {
    for (const step of options.scenario.script) if ('mount' in step) kernel.warm(step.by);
    for (const step of options.scenario.script) {
      stage.signal.throwIfAborted();
      options.onStep(announced(step));
      const goesOn = await attempt(scene, step);
      const told = concluded(expected.splice(0), createWorkClock(journal.machine));
      if (told !== undefined) options.onStep(told);
      if (!goesOn) break;
    }
    await nemesis.healAll();
  } finally {
    over.abort();
    // One that can't end in peace leaves none of the others at work: they would outlive the run's record.
    const all = [...scene.traffic.values(), ...scene.followers.values(), kernel];
    await allOf(all.map((one) => one.end()));
  }
}

/**
 * False where what earlier steps were to bring about isn't there, such as a volume that no API took: all that comes
 * after builds on it. That says nothing more of the system, and what was recorded until then is judged.
 */
async function attempt(scene: Scene, step: Step): Promise<boolean> {
  try {
    await act(scene, step);
    return true;
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    const seen = `${error.message}, so that the script ends here`;
    scene.stage.journal.record({ type: 'expectation', what: describeStep(step), outcome: 'unseen', seen });
    return false;
  }
}

/** The same journal; what is recorded of expectations is noted as well. */
const overheard = (journal: Stage['journal'], expected: ExpectationEvent[]): Stage['journal'] => ({
  ...journal,
  record: (event) => {
    journal.record(event);
    if (event.type === 'expectation') expected.push({ ...event, atMs: journal.atMs() });
  },
});
