import { describe, expect, it } from '@jest/globals';
import { planOf } from '../../../../src/rig/chaos/draw.ts';
import { parsePlan } from '../../../../src/rig/chaos/plan-file.ts';
import { EXAMPLES } from '../../../../src/rig/faults/listing.ts';
import { faultSpecSchema } from '../../../../src/rig/faults/spec-schema.ts';

const plan = planOf(7);
const asRead = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a plan that is read', () => {
  it('is what was written, whatever was drawn', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const drawn = planOf(seed);
      expect(parsePlan(asRead(drawn), 'plan.json')).toEqual(drawn);
    }
  });

  it.each(Object.values(EXAMPLES).map((spec) => [spec.fault, spec]))('may have the fault %s', (_, spec) => {
    expect(faultSpecSchema.parse(asRead(spec))).toEqual(spec);
  });

  it.each([
    ['nothing', undefined, /plan.json is no plan of chaos/],
    [
      'a fault that there is not',
      { ...plan, faults: [{ ...plan.faults[0], fault: { fault: 'x' } }] },
      /faults.0.fault/,
    ],
    ['a fault without end', { ...plan, durationMs: 1_000 }, /'faults' must all be healed/],
    ['two of one name', { ...plan, faults: [plan.faults[0], plan.faults[0]] }, /'faults' must have names/],
    ['a cluster without nodes', { ...plan, topology: { nodes: [] } }, /plan.json: 'nodes'/],
    ['no clients', { ...plan, workload: { ...plan.workload, clients: 0 } }, /'workload.clients'/],
    ['a field of its own', { ...plan, extra: 1 }, /'extra' is not a known field/],
  ])('is refused with %s', (_, input, message) => {
    expect(() => parsePlan(asRead(input ?? null), 'plan.json')).toThrow(message);
  });
});
