import { describe, expect, it } from '@jest/globals';
import { atRest } from '../../../../src/rig/checks/at-rest.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { Inventory } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';
import { calmRun, withHistory } from '../support/runs.ts';

/** The calm run whose two nodes wanted so much of a core at its end; undefined: as an old record has it. */
const using = (node1: Inventory['coresWanted'], node2: Inventory['coresWanted']) =>
  withHistory(calmRun().history.run(), (event) => {
    if (event.type !== 'inventory') return event;
    const { coresWanted: _, ...inventory } = event.inventory;
    const coresWanted = event.node === 'node1' ? node1 : node2;
    return { ...event, inventory: { ...inventory, ...(coresWanted && { coresWanted }) } };
  });
const each = (cores: number) => ({ api: cores, engine: cores, agent: cores });

describe('at-rest', () => {
  it('accepts roles that wait, and those that work a little', () => {
    expect(atRest(using(each(0), each(0)))).toMatchObject({
      verdict: 'valid',
      reason: '6 roles at rest, with at most 0.00 of a core each',
    });
    expect(atRest(using({ ...each(0.01), agent: 0.2 }, { ...each(0.02), agent: 0.3 })).verdict).toBe('valid');
  });

  it('rejects roles that go on working', () => {
    expect(atRest(using({ ...each(0.01), agent: 0.31 }, { ...each(0.02), engine: 0.97 }))).toMatchObject({
      verdict: 'invalid',
      reason: '2 roles of 6 went on working when all was done, with more than 0.3 of a core',
      counterExample: ['the engine of node2: 0.97 of a core', 'the agent of node1: 0.31 of a core'],
    });
  });

  it('rejects them however busy that makes the machine', () => {
    const { history } = calmRun();
    history.at(15_000).machine(15_000, { runnable: 9 });
    history.inventory('final', 'node1', { coresWanted: each(0.9) });
    expect(judge(history.run(), ['at-rest']).verdict).toBe('invalid');
  });

  it('knows nothing of a role, or of a node, that was not looked at', () => {
    expect(atRest(using(each(0), undefined))).toMatchObject({
      verdict: 'unknown',
      reason: 'nobody knows whether the api of node2, the engine of node2, the agent of node2 came to rest',
    });
    expect(atRest(using(each(0), { api: 0, agent: 0 })).reason).toMatch(/whether the engine of node2 came/);
    expect(atRest(createHistory().run()).reason).toBe('no final inventory of node1, node2');
  });

  it('does not ask after what a fault took down for good', () => {
    const nodes = [
      { name: 'node1', restart: { engine: 'never' } },
      { name: 'node2' },
      { name: 'node3' },
    ] as const;
    const history = createHistory({ nodes: [...nodes] });
    history.at(1_000).fault('kill', 'node1', 'engine').fault('kill', 'node3');
    history.at(9_000).inventory('final', 'node1', { coresWanted: { api: 0, agent: 0 } });
    history.inventory('final', 'node2', { coresWanted: each(0) });
    expect(atRest(history.run()).verdict).toBe('valid');
  });
});
