import type { Scenario, Step } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, LEASES_KEPT, threeNodes } from './common.ts';

/** Six on each of two nodes of 8 GiB: 75 %. With a third node the average is 50 %. */
const VOLUMES = Array.from({ length: 12 }, (_, index) => `v${index + 1}`);
const each = (step: (volume: string) => Step): Step => ({ together: VOLUMES.map(step) });
const by = 'consumer1';

/**
 * A node joins a cluster whose nodes are rather full: volumes move there, one at a time, until no node has
 * much more than its share, and then nothing moves any more.
 */
export const nodeAddedRebalance: Scenario = {
  name: 'node-added-rebalance',
  title: 'A node that joins gets volumes from the others until all have their share, and none moves twice',
  topology: {
    ...threeNodes,
    nodes: [{ name: 'node1' }, { name: 'node2' }, { name: 'node3', starts: 'later' }],
    settings: { ...threeNodes.settings, rebalancePercent: 10, maxMoves: 1 },
  },
  script: [
    ...CLUSTER_UP,
    { follow: by, via: 'node1' },
    each((create) => ({
      call: { create, sizeGib: 1, exports: [{ consumer: by, access: 'rw' }] },
      via: 'node1',
      status: 202,
    })),
    each((volume) => ({ await: { volume, state: 'ready', exported: true }, withinMs: 15_000 })),
    { await: { balancedWithinPercent: 1 }, withinMs: 1_000 },
    each((volume) => ({ io: 'write', volume, by, file: 'one', outcome: 'ok', withinMs: 10_000 })),

    { join: 'node3' },
    { mark: 'joined' },
    { await: { registered: 'node3' }, withinMs: 15_000, since: 'joined' },
    { await: { balancedWithinPercent: 20 }, withinMs: 20_000, since: 'joined' },
    { hold: 2_000, why: 'whatever would go on moving has time to' },
    { await: { balancedWithinPercent: 20 }, withinMs: 100 },
    { await: { converged: 'node3' }, withinMs: 5_000 },
    each((volume) => ({ io: 'read', volume, by, file: 'one', outcome: 'ok', withinMs: 10_000 })),
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, ...DATA, 'moves', 'told', 'watch', 'rebalance-converges'],
};
