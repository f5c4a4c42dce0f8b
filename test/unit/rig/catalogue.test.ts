// Every scenario is data; these tests find the slips that would only show at the end of a long run.

import { describe, expect, it } from '@jest/globals';
import { describeStep } from '../../../src/rig/describe.ts';
import type { Scenario, Step } from '../../../src/rig/scenario.ts';
import { SCENARIOS, scenariosNamed } from '../../../src/rig/scenarios/catalogue.ts';
import { parseTopology } from '../../../src/rig/topology.ts';

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
    if ('resize' in call) volumes.push(call.resize);
    if ('reexport' in call) volumes.push(call.reexport);
    if ('remove' in call) volumes.push(call.remove);
    if ('exports' in call) members.push(...(call.exports ?? []).map(({ consumer }) => consumer));
  }
  if ('io' in step) {
    members.push(step.by);
    volumes.push(step.volume);
  }
  if ('together' in step) {
    for (const one of step.together.map(uses)) {
      marks.push(...one.marks);
      volumes.push(...one.volumes);
      members.push(...one.members);
    }
  }
  if ('traffic' in step) {
    members.push(step.by);
    volumes.push(step.volume);
  }
  if ('fault' in step) target(step.target);
  if ('probe' in step) step.via.forEach(target);
  if ('await' in step) {
    const condition = step.await;
    if ('volume' in condition) {
      volumes.push(condition.volume);
      members.push(condition.on, condition.notOn);
    }
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
    'etcd',
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
    if ('call' in step && 'create' in step.call) volumes.add(step.call.create);
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
    expect(scenariosNamed(['all'])).toBe(SCENARIOS);
    expect(scenariosNamed(['export-created']).map(({ name }) => name)).toEqual(['export-created']);
  });

  it('names the choice when there is no such scenario', () => {
    expect(() => scenariosNamed(['no-such'])).toThrow("there is no scenario 'no-such'");
  });
});
