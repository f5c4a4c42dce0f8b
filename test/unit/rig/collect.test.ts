import { expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { collectInventories } from '../../../src/rig/collect.ts';
import type { Deployment } from '../../../src/rig/deployment.ts';
import type { Journal } from '../../../src/rig/journal.ts';
import { parseTopology } from '../../../src/rig/topology.ts';

it('looks into the other nodes when one ends meanwhile, and records that nobody knows of that one', async () => {
  const recorded: unknown[] = [];
  const deployment = {
    topology: parseTopology(
      { nodes: [{ name: 'node1' }, { name: 'node2' }, { name: 'node3' }] },
      'this test',
    ),
    state: async (name: string) => (name === 'node3' ? 'exited' : 'running'),
    inventory: async (name: string) => {
      if (name === 'node1') throw new RigError('machine', 'cannot run node in node1: it is not running');
      return { volumes: [] };
    },
  } as unknown as Deployment;
  const journal = { record: (event: unknown) => recorded.push(event) } as unknown as Journal;
  await collectInventories({ deployment, journal, label: 'final' });
  expect(recorded).toHaveLength(2);
  expect(recorded).toContainEqual({
    type: 'inventory',
    label: 'final',
    node: 'node2',
    inventory: { volumes: [] },
  });
  expect(recorded).toContainEqual({
    type: 'expectation',
    what: 'node1 can be looked into for the inventory final',
    outcome: 'unseen',
    seen: 'cannot run node in node1: it is not running',
  });
});

it('asks for what the roles want of a core at the end, when the cluster rests, and at no other time', async () => {
  const asked: unknown[] = [];
  const deployment = {
    topology: parseTopology({ nodes: [{ name: 'node1' }] }, 'this test'),
    state: async () => 'running',
    inventory: async (...args: unknown[]) => asked.push(args),
  } as unknown as Deployment;
  const journal = { record: () => undefined } as unknown as Journal;
  for (const label of ['before-outage', 'final']) await collectInventories({ deployment, journal, label });
  expect(asked).toEqual([
    ['node1', { withCoresWanted: false }],
    ['node1', { withCoresWanted: true }],
  ]);
});
