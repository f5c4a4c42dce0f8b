// Performs a scenario's script, a step at a time.

import { createWorkClock } from './checks/work-clock.ts';
import { createNemesis } from './faults/nemesis.ts';
import { healthOf } from './health.ts';
import type { ExpectationEvent } from './history.ts';
import { createKernelMounts } from './kernel-mounts.ts';
import { announced, concluded } from './progress.ts';
import type { Scenario } from './scenario.ts';
import type { Scene } from './scene.ts';
import { createSite } from './site.ts';
import { createNames, type Stage } from './stage.ts';
import { act, allOf } from './steps.ts';

/**
 * `onStep` is told before each step what it is, and after it what came of what it awaited. Throws `machine` when the rig
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
      await act(scene, step);
      const told = concluded(expected.splice(0), createWorkClock(journal.machine));
      if (told !== undefined) options.onStep(told);
    }
    await nemesis.healAll();
  } finally {
    over.abort();
    // One that can't end in peace leaves none of the others at work: they would outlive the run's record.
    const all = [...scene.traffic.values(), ...scene.followers.values(), kernel];
    await allOf(all.map((one) => one.end()));
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
