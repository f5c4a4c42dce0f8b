import { describe, expect, it } from '@jest/globals';
import { planOf } from '../../../../src/rig/chaos/draw.ts';
import type { Plan } from '../../../../src/rig/chaos/plan.ts';
import { parsePlan } from '../../../../src/rig/chaos/plan-file.ts';
import type { Scenario } from '../../../../src/rig/scenario.ts';
import { faultSteps, parsePart, partOf, partPasses } from '../../../../src/rig/shrink/part.ts';
import { reduce } from '../../../../src/rig/shrink/reduce.ts';
import { isSameFailure } from '../../../../src/rig/shrink/same-failure.ts';
import { PLAN_PASSES } from '../../../../src/rig/shrink/smaller-plan.ts';

describe('a plan', () => {
  it('is a plan in every way in which it is smaller', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const candidates = PLAN_PASSES.flatMap((pass) => pass(planOf(seed)));
      expect(candidates.length).toBeGreaterThan(10);
      for (const smaller of candidates)
        expect(parsePlan(JSON.parse(JSON.stringify(smaller)), 'it')).toEqual(smaller);
    }
  });

  it('comes to its end, with what it takes to fail and no more', async () => {
    const fails = ({ faults, workload }: Plan): boolean =>
      faults.some(({ fault }) => fault.fault === 'kill') && (workload.mix.move ?? 0) > 0;
    const seed = Array.from({ length: 100 }, (_, index) => index).find((each) => fails(planOf(each))) ?? 0;
    const { faults, workload, topology, durationMs } = await reduce(planOf(seed), {
      passes: PLAN_PASSES,
      firstFailing: async (candidates) => candidates.find(fails),
    });
    expect(faults.map(({ fault, atMs, healMs }) => [fault.fault, atMs, healMs < 1_000])).toEqual([
      ['kill', 0, true],
    ]);
    expect(Object.keys(workload.mix)).toEqual(['move']);
    expect([workload.clients, workload.volumes.most, topology.consumers?.length, durationMs]).toEqual([
      1, 1, 1, 1_000,
    ]);
  });
});

const SCENARIO: Scenario = {
  name: 'some',
  title: 'Some steps',
  topology: { nodes: [{ name: 'node1' }] },
  script: [
    { mark: 'one' },
    { inject: { fault: 'kill', on: 'node1' }, as: 'dead' },
    { together: [{ mark: 'two' }, { inOrder: [{ mark: 'three' }, { mark: 'four' }] }] },
    { heal: 'dead' },
    { fault: 'pause', target: 'node1' },
  ],
  checks: ['logs'],
};

describe('a part of a script', () => {
  it('is without those steps, wherever they stand', () => {
    const part = partOf(SCENARIO, { scenario: 'some', without: ['0', '2.1.0'] });
    expect(part.script.slice(1, 2)).toEqual([
      { together: [{ mark: 'two' }, { inOrder: [{ mark: 'four' }] }] },
    ]);
    expect([part.script.length, faultSteps(part), part.plan?.isGiven]).toEqual([4, 2, true]);
  });

  it('shrinks by whole faults, then by any steps', async () => {
    const fails = (text: string): boolean => text.includes('four') && text.includes('pause');
    const smallest = await reduce(
      { scenario: 'some', without: [] },
      {
        passes: partPasses(SCENARIO),
        firstFailing: async (parts) =>
          parts.find((part) => fails(JSON.stringify(partOf(SCENARIO, part).script))),
      },
    );
    expect(partOf(SCENARIO, smallest).script).toEqual([
      { together: [{ inOrder: [{ mark: 'four' }] }] },
      { fault: 'pause', target: 'node1' },
    ]);
  });

  it('is refused where it is none', () => {
    expect(() => parsePart({ scenario: 'some', without: ['x'] }, 'plan.json')).toThrow(
      /plan.json is no part of a script/,
    );
  });
});

it('is the same failure by the same check, and of expectations by the same that is missed', () => {
  const missed = (what: string) =>
    ({ check: 'expectations', verdict: 'invalid', reason: `2 expectations missed: ${what}` }) as const;
  const [one, other] = [missed('a is ready within 5 s'), missed('b is gone')];
  expect(isSameFailure(one, { ...one, reason: one.reason.replace('5 s', '7 s') })).toBe(true);
  expect(isSameFailure(one, other)).toBe(false);
  expect(isSameFailure({ ...one, check: 'logs' }, { ...other, check: 'logs' })).toBe(true);
  expect(isSameFailure(one, { ...one, verdict: 'unknown' })).toBe(false);
});
