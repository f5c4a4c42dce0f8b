import type { Scenario, Step } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, LEASES_KEPT, mib, threeNodes } from './common.ts';

const VOLUMES = ['a', 'b', 'c', 'd', 'e'];
const each = (step: (volume: string) => Step): Step => ({ together: VOLUMES.map(step) });
const by = 'consumer1';

/**
 * A node with five volumes is drained: all of them go elsewhere, two at a time, and whoever waits for it can
 * see how far it has come, and when its disk holds nothing of theirs any more. Meanwhile nothing new is put there,
 * and afterwards it is. node1 has the most room, so that volumes begin there.
 */
export const nodeDrained: Scenario = {
  name: 'node-drained',
  title: 'A drained node gives all its volumes away, a few at a time, and not a byte is lost',
  topology: {
    ...threeNodes,
    nodes: threeNodes.nodes.map((node) => (node.name === 'node1' ? { ...node, capacityGib: 32 } : node)),
    settings: { ...threeNodes.settings, maxMoves: 2 },
  },
  script: [
    ...CLUSTER_UP,
    { follow: by, via: 'node3' },
    each((create) => ({
      call: { create, sizeGib: 1, exports: [{ consumer: by, access: 'rw' }] },
      via: 'node2',
      status: 202,
    })),
    each((volume) => ({
      await: { volume, state: 'ready', on: 'node1', exported: true },
      withinMs: 10_000,
    })),
    each((volume) => ({
      io: 'write',
      volume,
      by,
      file: 'one',
      bytes: mib(4),
      outcome: 'ok',
      withinMs: 10_000,
    })),
    { traffic: 'work', by, volume: 'c' },

    { mark: 'drain' },
    { call: { drain: 'node1' }, via: 'node2', status: 202 },
    { await: { draining: 'node1', left: { least: 1, most: 4 } }, withinMs: 15_000, since: 'drain' },
    each((volume) => ({
      await: { volume, state: 'ready', notOn: 'node1', exported: true },
      withinMs: 20_000,
      since: 'drain',
    })),
    // So late that every engine has heard of it, however busy the machine is.
    { call: { create: 'late', sizeGib: 1 }, via: 'node3', status: 202 },
    { await: { volume: 'late', state: 'ready', notOn: 'node1' }, withinMs: 5_000 },
    { await: { draining: 'node1', left: { least: 0, most: 0 }, remains: 0 }, withinMs: 10_000 },
    { await: { empty: 'node1' }, withinMs: 10_000 },
    each((volume) => ({ io: 'read', volume, by, file: 'one', outcome: 'ok', withinMs: 5_000 })),
    { endTraffic: 'work' },

    { call: { undrain: 'node1' }, via: 'node1', status: 202 },
    { call: { create: 'back', sizeGib: 1 }, via: 'node1', status: 202 },
    { await: { volume: 'back', state: 'ready', on: 'node1' }, withinMs: 5_000 },
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, ...DATA, 'constraints', 'moves', 'told', 'watch', 'rebalance-converges'],
};
