// A part of a scenario's script: what is left of it without some of its steps.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';
import type { Scenario, Step } from '../scenario.ts';
import { type Pass, withoutParts } from './reduce.ts';

export interface ScriptPart {
  readonly scenario: string;
  /** Steps that are left out, by their places: `3` is the fourth, `3.0` the first of those in it. */
  readonly without: readonly string[];
}

const partSchema = z.strictObject({
  scenario: z.string(),
  without: z.array(z.string().regex(/^\d{1,5}(\.\d{1,5})*$/)).max(100_000),
});

export const isPart = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && 'without' in input;

/** Throws `invalid`, naming the `source`, which is where it was read. */
export function parsePart(input: unknown, source: string): ScriptPart {
  const result = partSchema.safeParse(input);
  if (result.success) return result.data;
  const [first] = fieldErrors(result.error);
  throw new RigError('invalid', `${source} is no part of a script: '${first?.path}' ${first?.message}`);
}

/** The scenario with that part of its script alone. */
export function partOf(scenario: Scenario, part: ScriptPart): Scenario {
  const left = new Set(part.without);
  const trim = (steps: readonly Step[], above: string): readonly Step[] =>
    steps.flatMap((step, index): readonly Step[] => {
      const place = `${above}${index}`;
      if (left.has(place)) return [];
      if ('together' in step) return [{ together: trim(step.together, `${place}.`) }];
      return 'inOrder' in step ? [{ inOrder: trim(step.inOrder, `${place}.`) }] : [step];
    });
  const script = trim(scenario.script, '');
  const text = `${scenario.name}, ${script.length} of ${scenario.script.length} steps`;
  return { ...scenario, script, plan: { data: part, text, isGiven: true } };
}

interface Placed {
  readonly place: string;
  readonly step: Step;
}

/** Every step, those that hold others before what is in them. */
const placed = (steps: readonly Step[], above = ''): readonly Placed[] =>
  steps.flatMap((step, index) => {
    const place = `${above}${index}`;
    const inner = 'together' in step ? step.together : 'inOrder' in step ? step.inOrder : [];
    return [{ place, step }, ...placed(inner, `${place}.`)];
  });

/** Injections and acts that are in the script. */
export const faultSteps = ({ script }: Scenario): number =>
  placed(script).filter(({ step }) => 'inject' in step || 'fault' in step).length;

/** First whole faults, from their injection to their healing, then any steps. */
export function partPasses(scenario: Scenario): readonly Pass<ScriptPart>[] {
  const all = placed(scenario.script);
  const nameOf = ({ place, step }: Placed): string | undefined => {
    if ('inject' in step) return step.as;
    if ('heal' in step) return step.heal;
    return 'fault' in step ? place : undefined;
  };
  const faults = [
    ...Map.groupBy(
      all.filter((one) => nameOf(one) !== undefined),
      nameOf,
    ).values(),
  ];
  const byUnits =
    (units: readonly (readonly Placed[])[]): Pass<ScriptPart> =>
    (part) => {
      const gone = new Set(part.without);
      const isGone = ({ place }: Placed): boolean =>
        place.split('.').some((_, index, parts) => gone.has(parts.slice(0, index + 1).join('.')));
      const left = units.filter((unit) => !unit.every(isGone));
      return withoutParts(left).map((kept) => {
        const dropped = left.filter((unit) => !kept.includes(unit)).flat();
        return { ...part, without: [...part.without, ...dropped.map(({ place }) => place)] };
      });
    };
  return [byUnits(faults), byUnits(all.map((one) => [one]))];
}
