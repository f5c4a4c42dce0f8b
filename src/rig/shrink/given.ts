// What is run that no seed draws and no catalogue has: a plan of chaos, or a part of a script.

import type { Plan } from '../chaos/plan.ts';
import { parsePlan } from '../chaos/plan-file.ts';
import { chaosScenario } from '../chaos/scenario.ts';
import type { Scenario } from '../scenario.ts';
import { scenariosNamed } from '../scenarios/catalogue.ts';
import { isPart, parsePart, partOf, type ScriptPart } from './part.ts';

/** What plan.json says. */
export type GivenPlan = Plan | ScriptPart;

/** Throws `invalid`, naming the `source`, which is where it was read. */
export const parseGiven = (input: unknown, source: string): GivenPlan =>
  isPart(input) ? parsePart(input, source) : parsePlan(input, source);

/** Throws `invalid` for a scenario that there is not. */
export function scenarioOf(what: {
  readonly scenario: string;
  readonly seed: number;
  readonly durationMs: number | undefined;
  /** In the place of what the seed draws, and of the whole script. */
  readonly given?: GivenPlan;
}): Scenario {
  const { given } = what;
  if (given !== undefined && !('without' in given)) return chaosScenario(given, { isGiven: true });
  const [scenario] = scenariosNamed([what.scenario], what);
  if (scenario === undefined) throw new Error(`there is no scenario '${what.scenario}'`);
  return given === undefined ? scenario : partOf(scenario, given);
}
