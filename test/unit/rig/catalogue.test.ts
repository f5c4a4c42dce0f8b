// Every scenario is data; these tests find the slips that would only show at the end of a long run.

import { describe, expect, it } from '@jest/globals';
import { FAILPOINTS, parseFailpoints } from '../../../src/base/failpoints.ts';
import { planOf } from '../../../src/rig/chaos/draw.ts';
import { chaosScenario } from '../../../src/rig/chaos/scenario.ts';
import { describeStep } from '../../../src/rig/describe.ts';
import { FAULTS, faultOf } from '../../../src/rig/faults/catalogue.ts';
import type { FaultSpec } from '../../../src/rig/faults/spec.ts';
import { orderedBy } from '../../../src/rig/requests.ts';
import type { Scenario, Step } from '../../../src/rig/scenario.ts';
import { FAULT_FAMILIES, SCENARIOS, scenariosNamed } from '../../../src/rig/scenarios/catalogue.ts';
import { faultsCode } from '../../../src/rig/scenarios/faults-code.ts';
import { etcdMembers, parseTopology } from '../../../src/rig/topology.ts';

/** Names that a step uses: of marks, volumes and members. */
function uses(step: Step): { marks: string[]; volumes: string[]; members: string[] } {
  const marks: (string | undefined)[] = ['since' in step ? step.since : undefined];
  const volumes: (string | undefined)[] = [];
  const members: (string | undefined)[] = [];
  const target = (text: string): void => {
    const [name, mark] = text.split('@');
    members.push(name);
    marks.push(mark);
  };
  if ('call' in step) {
    target(step.via);
    const { call } = step;
    if ('clone' in call) volumes.push(call.of);
    if ('resize' in call) volumes.push(call.resize);
    if ('reexport' in call) volumes.push(call.reexport);
    if ('remove' in call) volumes.push(call.remove);
    if ('defragment' in call) volumes.push(call.defragment);
    if ('compress' in call) volumes.push(call.compress);
    if ('move' in call) {
      volumes.push(call.move);
      members.push(call.to);
    }
    if ('drain' in call) members.push(call.drain);
    if ('undrain' in call) members.push(call.undrain);
    if (step.because !== undefined && 'clones' in step.because) volumes.push(...step.because.clones);
    if ('exports' in call) members.push(...(call.exports ?? []).map(({ consumer }) => consumer));
  }
  if ('io' in step) {
    members.push(step.by, step.at);
    volumes.push(step.volume);
  }
  if ('mount' in step) {
    members.push(step.by);
    volumes.push(step.mount);
  }
  if ('follow' in step) {
    members.push(step.follow);
    target(step.via);
  }
  if ('join' in step) members.push(step.join);
  const inside = 'together' in step ? step.together : 'inOrder' in step ? step.inOrder : undefined;
  if (inside !== undefined) {
    for (const one of inside.map(uses)) {
      marks.push(...one.marks);
      volumes.push(...one.volumes);
      members.push(...one.members);
    }
  }
  if ('traffic' in step) {
    members.push(step.by, 'at' in step ? step.at : undefined);
    volumes.push(step.volume);
  }
  if ('fault' in step) target(step.target);
  if ('probe' in step) step.via.forEach(target);
  if ('await' in step) {
    const condition = step.await;
    if ('mounted' in condition) {
      volumes.push(condition.of);
      members.push(condition.mounted, condition.on ?? undefined);
    }
    if ('told' in condition) {
      volumes.push(condition.volume);
      members.push(condition.told, condition.on);
      marks.push(condition.after);
    } else if ('volume' in condition) {
      volumes.push(condition.volume);
      members.push(condition.on, condition.notOn);
    }
    if ('empty' in condition) members.push(condition.empty);
    if ('draining' in condition) members.push(condition.draining);
    if ('leader' in condition) marks.push(condition.not, condition.electedSince);
    if ('registered' in condition) marks.push(condition.since);
    if ('unregistered' in condition) members.push(condition.unregistered);
    if ('converged' in condition) members.push(condition.converged);
    if ('logged' in condition) {
      target(condition.by);
      marks.push(condition.after);
    }
  }
  const present = (list: (string | undefined)[]): string[] => list.filter((name) => name !== undefined);
  return { marks: present(marks), volumes: present(volumes), members: present(members) };
}

function slipsOf(scenario: Scenario): string[] {
  const topology = parseTopology(scenario.topology, scenario.name);
  const members = new Set([
    ...etcdMembers(topology),
    'leader',
    ...topology.nodes.map(({ name }) => name),
    ...topology.consumers,
  ]);
  const marks = new Set<string>();
  const volumes = new Set<string>();
  const slips: string[] = [];
  for (const step of scenario.script) {
    const used = uses(step);
    const where = `'${describeStep(step)}'`;
    for (const mark of used.marks) if (!marks.has(mark)) slips.push(`${where} uses mark ${mark} too early`);
    for (const volume of used.volumes)
      if (!volumes.has(volume)) slips.push(`${where} uses volume ${volume} too early`);
    for (const member of used.members)
      if (!members.has(member)) slips.push(`${where} uses unknown ${member}`);
    if ('mark' in step) marks.add(step.mark);
    for (const one of 'together' in step ? step.together : [step]) {
      const ordered = 'call' in one ? orderedBy(one.call) : undefined;
      if (ordered !== undefined) volumes.add(ordered);
    }
  }
  return slips;
}

describe.each(SCENARIOS)('scenario $name', (scenario) => {
  it('uses only marks, volumes and members that there are by then', () => {
    expect(slipsOf(scenario)).toEqual([]);
  });

  it('has a name for its file, and checks', () => {
    expect(scenario.name).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(scenario.checks.length).toBeGreaterThan(0);
    expect(new Set(scenario.checks).size).toBe(scenario.checks.length);
  });

  it('lasts long enough for a lease that nobody renews to run out, where leases are judged', () => {
    const { leaseTtlSeconds } = parseTopology(scenario.topology, scenario.name).settings;
    const holds = scenario.script.map((step) => ('hold' in step ? step.hold : 0));
    const leastMs = scenario.checks.includes('heartbeats') ? leaseTtlSeconds * 1_000 : 0;
    expect(Math.max(...holds)).toBeGreaterThanOrEqual(leastMs);
  });
});

describe('the catalogue of faults', () => {
  const injectedBy = ({ script }: Scenario): readonly FaultSpec[] =>
    script.flatMap((step) => ('inject' in step ? [step.inject] : []));
  const all = FAULT_FAMILIES.flatMap(injectedBy);

  it('is injected as a whole', () => {
    expect(new Set(all.map(({ fault }) => fault))).toEqual(new Set(Object.keys(FAULTS)));
  });

  it('has partitions of every shape, and every failpoint', () => {
    const shapes = all.flatMap((spec) => (spec.fault === 'partition' ? [spec.shape] : []));
    expect(new Set(shapes)).toEqual(new Set(['isolate', 'halves', 'bridge', 'majorities-ring']));
    const reached = all.flatMap((spec) =>
      spec.fault === 'failpoint' ? Object.keys(parseFailpoints(spec.failpoints)) : [],
    );
    expect(new Set(reached)).toEqual(new Set(FAILPOINTS));
  });

  it('has clients do what an agent is to stumble at, until it has', () => {
    const { script } = faultsCode;
    const lives = script.flatMap((step, index) =>
      'inject' in step && step.inject.fault === 'failpoint' && step.inject.on !== 'leader'
        ? [script.slice(index - 1, index + 4).map((one) => Object.keys(one)[0])]
        : [],
    );
    expect(lives.length).toBeGreaterThan(0);
    for (const life of lives) expect(life).toEqual(['workload', 'inject', 'hold', 'heal', 'endTraffic']);
  });

  it.each(FAULT_FAMILIES)(
    '$name heals each of its faults before the next, while clients work',
    (scenario) => {
      const lives = scenario.script.flatMap((step) =>
        'inject' in step ? [`inject ${step.as}`] : 'heal' in step ? [`heal ${step.heal}`] : [],
      );
      const names = scenario.script.flatMap((step) => ('inject' in step ? [step.as] : []));
      expect(lives).toEqual(names.flatMap((as) => [`inject ${as}`, `heal ${as}`]));
      const kinds = scenario.script.map((step) => Object.keys(step)[0]);
      expect(kinds.indexOf('workload')).toBeLessThan(kinds.indexOf('inject'));
      const ends = scenario.script.findIndex((step) => 'endTraffic' in step && step.endTraffic === 'work');
      expect(ends).toBeGreaterThan(kinds.lastIndexOf('heal'));
      // Of another family are only those that etcd's members are hit by.
      const families = new Set(injectedBy(scenario).map((spec) => `faults-${faultOf(spec).family}`));
      expect(families).toContain(scenario.name);
    },
  );
});

describe('a scenario drawn from a seed', () => {
  it('uses only marks, volumes and members that there are by then', () => {
    for (let seed = 0; seed < 50; seed += 1) expect(slipsOf(chaosScenario(planOf(seed)))).toEqual([]);
  });

  it('is not one of all', () => {
    expect(SCENARIOS.map(({ name }) => name)).not.toContain('chaos');
    expect(scenariosNamed(['chaos'], { seed: 5 })).toEqual([chaosScenario(planOf(5))]);
  });
});

describe('the slips', () => {
  it('are found', () => {
    const scenario: Scenario = {
      name: 'slip',
      title: '',
      topology: { nodes: [{ name: 'node1' }] },
      script: [
        { await: { leader: 'one', not: 'never' }, withinMs: 1 },
        { io: 'read', volume: 'none', by: 'nobody', file: 'f', outcome: 'ok', withinMs: 1 },
      ],
      checks: [],
    };
    expect(slipsOf(scenario)).toHaveLength(3);
  });
});

describe('choosing scenarios', () => {
  it('takes all of them, or those that are named', () => {
    expect(scenariosNamed(['all'], { seed: 1 })).toEqual(SCENARIOS);
    expect(scenariosNamed(['export-created'], { seed: 1 }).map(({ name }) => name)).toEqual([
      'export-created',
    ]);
  });

  it('names the choice when there is no such scenario', () => {
    for (const names of [['no-such'], ['all', 'no-such']]) {
      expect(() => scenariosNamed(names, { seed: 1 })).toThrow("there is no scenario 'no-such'");
    }
  });
});
