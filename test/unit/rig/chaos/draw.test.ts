import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { conflicts } from '../../../../src/rig/chaos/conflicts.ts';
import { planOf } from '../../../../src/rig/chaos/draw.ts';
import { MENU } from '../../../../src/rig/chaos/menu.ts';
import { DEFAULT_DURATION_MS, type Plan } from '../../../../src/rig/chaos/plan.ts';
import { chaosScenario } from '../../../../src/rig/chaos/scenario.ts';
import { describePlan } from '../../../../src/rig/chaos/words.ts';
import { FAULTS } from '../../../../src/rig/faults/catalogue.ts';
import type { FaultName } from '../../../../src/rig/faults/spec.ts';
import { scenariosNamed } from '../../../../src/rig/scenarios/catalogue.ts';
import { allMembers, etcdMembers, parseTopology } from '../../../../src/rig/topology.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const durations = fc.integer({ min: 10, max: 120 }).map((seconds) => seconds * 1_000);

const topologyOf = (plan: Plan) => parseTopology(plan.topology, 'plan');

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, durations, (seed, ms) => expect(planOf(seed, ms)).toEqual(planOf(seed, ms))),
    );
    expect(new Set([1, 2, 3, 4].map((seed) => JSON.stringify({ ...planOf(seed), seed: 0 }))).size).toBe(4);
  });

  it('is what the printed command line asks for, and survives its file', () => {
    fc.assert(
      fc.property(seeds, durations, (seed, ms) => {
        const plan = planOf(seed, ms);
        const words = /rig run chaos --seed (\d+) --duration (\d+)s$/m.exec(describePlan(plan));
        const [again] = scenariosNamed(['chaos'], {
          seed: Number(words?.[1]),
          durationMs: Number(words?.[2]) * 1_000,
        });
        expect(JSON.parse(JSON.stringify(again?.plan?.data))).toEqual(plan);
      }),
    );
  });

  it('is legal: its faults may overlap, hit who is there, and are healed by the end', () => {
    fc.assert(
      fc.property(seeds, durations, (seed, durationMs) => {
        const plan = planOf(seed, durationMs);
        const topology = topologyOf(plan);
        expect(conflicts(plan.faults, { nodes: topology.nodes, etcd: etcdMembers(topology) })).toEqual([]);
        const members = new Set(allMembers(topology));
        expect(new Set(plan.faults.map(({ as }) => as)).size).toBe(plan.faults.length);
        for (const { fault, atMs, healMs } of plan.faults) {
          expect(atMs).toBeGreaterThan(0);
          expect(healMs - atMs).toBeGreaterThanOrEqual(1_000);
          expect(healMs).toBeLessThanOrEqual(durationMs);
          const named = ['on', 'from', 'to'].flatMap((field) => (fault as never)[field] ?? []);
          expect(named.filter((member) => !members.has(member))).toEqual([]);
        }
      }),
    );
  });

  it('draws every fault of the menu that there is, and each kind of cluster', () => {
    const plans = Array.from({ length: 300 }, (_, seed) => planOf(seed));
    const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ fault }) => fault.fault)));
    const there = (Object.keys(MENU) as FaultName[]).filter((name) => FAULTS[name] !== undefined);
    expect([...drawn].sort()).toEqual(there.sort());
    const etcd = new Set(plans.map((plan) => topologyOf(plan).etcd.members));
    expect([...etcd].sort()).toEqual([1, 3]);
    const overlapping = plans.filter(({ faults }) =>
      faults.some(({ healMs }, index) => (faults[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) < healMs),
    );
    expect(overlapping.length).toBeGreaterThan(250);
  });

  it('names only hardware that its nodes have', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const plan = planOf(seed);
      const nodes = new Map(topologyOf(plan).nodes.map((node) => [node.name, node]));
      for (const { fault } of plan.faults) {
        if (fault.fault.startsWith('clock-') && 'on' in fault)
          expect(nodes.get(String(fault.on))?.clock).toBe('own');
        if ((fault.fault === 'disk-errors' || fault.fault === 'disk-slow') && 'on' in fault)
          expect(nodes.get(String(fault.on))?.disk).toBe('breakable');
      }
    }
  });

  it('fits 80 columns', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const line of describePlan(planOf(seed)).split('\n'))
          expect(line.length).toBeLessThanOrEqual(80);
      }),
    );
  });
});

describe('the scenario of a plan', () => {
  it('heals each fault that it injects, when the plan says so', () => {
    const plan = planOf(3);
    const { script } = chaosScenario(plan);
    const lives = script.flatMap((step) => ('together' in step ? step.together : []));
    expect(lives).toHaveLength(plan.faults.length);
    expect(plan.faults.length).toBeGreaterThan(3);
    for (const [index, { as, atMs, healMs, fault }] of plan.faults.entries()) {
      expect(lives[index]).toMatchObject({
        inOrder: [
          { hold: atMs, since: 'begin' },
          { inject: fault, as },
          { hold: healMs, since: 'begin' },
          { heal: as },
        ],
      });
    }
  });

  it('lets none bite before those that it can not go together with are healed, however late they are', () => {
    const plan = planOf(3);
    const stop = { as: 'first', fault: { fault: 'stop', on: 'node1' }, atMs: 1_000, healMs: 3_000 } as const;
    const other = { as: 'other', fault: { fault: 'stop', on: 'node2' }, atMs: 2_000, healMs: 3_000 } as const;
    const pause = {
      as: 'second',
      fault: { fault: 'pause', on: 'node1' },
      atMs: 9_000,
      healMs: 12_000,
    } as const;
    const { script } = chaosScenario({ ...plan, faults: [stop, other, pause] });
    const lives = script.flatMap((step) => ('together' in step ? step.together : []));
    const after = lives.map((life) =>
      ('inOrder' in life ? life.inOrder : []).flatMap((step) => ('inject' in step ? [step.after] : [])),
    );
    expect(after).toEqual([[[]], [[]], [['first']]]);
  });

  it('lasts a minute unless it is told otherwise', () => {
    expect(planOf(3).durationMs).toBe(DEFAULT_DURATION_MS);
    expect(DEFAULT_DURATION_MS).toBe(60_000);
  });
});
