import { describe, expect, it } from '@jest/globals';
import type { ContainerState } from '../../../src/rig/deployment.ts';
import { createConditions } from '../../../src/rig/keyed-conditions.ts';

/** Nodes that run unless `states` says otherwise, and what was put in force there last. */
function nodes(delayMs: (values: readonly string[]) => number = () => 0) {
  const states = new Map<string, ContainerState>();
  const inForce = new Map<string, readonly string[]>();
  const conditions = createConditions<string>({
    state: async (node) => states.get(node) ?? 'running',
    apply: async (node, values) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs(values)));
      inForce.set(node, values);
    },
  });
  return { states, inForce, conditions };
}

describe('conditions of nodes', () => {
  it('leave the others when one ends', async () => {
    const { conditions, inForce } = nodes();
    await conditions.set('a', 'node1', 'full');
    await conditions.set('b', 'node1', 'slow');
    await conditions.set('a', 'node2', 'slow');
    expect(conditions.of('node1', 'a')).toEqual(['slow']);
    await conditions.set('a', 'node1', undefined);
    expect(inForce.get('node1')).toEqual(['slow']);
    expect(inForce.get('node2')).toEqual(['slow']);
  });

  it('are all in force, however long the first of two at once takes', async () => {
    const { conditions, inForce } = nodes((values) => (values.length === 1 ? 20 : 0));
    await Promise.all([conditions.set('a', 'node1', 'full'), conditions.set('b', 'node1', 'slow')]);
    expect(inForce.get('node1')).toEqual(['full', 'slow']);
  });

  it('of a node that is down begin and end with its start', async () => {
    const { conditions, inForce, states } = nodes();
    await conditions.set('a', 'node1', 'full');
    states.set('node1', 'exited');
    await conditions.set('a', 'node1', undefined);
    await conditions.set('b', 'node1', 'slow');
    expect(inForce.get('node1')).toEqual(['full']);
    states.set('node1', 'running');
    await conditions.refresh('node1');
    expect(inForce.get('node1')).toEqual(['slow']);
    await conditions.refresh('node2');
    expect(inForce.has('node2')).toBe(false);
  });
});
