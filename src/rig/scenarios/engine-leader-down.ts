import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, LEASES_KEPT, threeNodes } from './common.ts';

const STAYS_DEAD = { engine: 'never' } as const;

/**
 * How long every engine hesitates between a decision and its transaction: long
 * enough to be frozen in between, and thawed when another leads but has not written either.
 */
const HESITATION_MS = 3_000;

/**
 * Engine leader down, its agent alive: another takes its place and schedules.
 * Then a leader is frozen with a transaction already decided on; thawed after
 * its term it sends it, and only the fence can stop it.
 */
export const engineLeaderDown: Scenario = {
  name: 'engine-leader-down',
  title:
    'When only the leading engine dies or freezes, another leads within a TTL + 1 s and no heartbeat is missed',
  topology: {
    ...threeNodes,
    nodes: threeNodes.nodes.map((node) => ({ ...node, restart: STAYS_DEAD })),
    settings: { ...threeNodes.settings, failpoints: `engine/before-transact=sleep(${HESITATION_MS})` },
  },
  script: [
    ...CLUSTER_UP,
    { mark: 'first' },
    { fault: 'kill', target: 'leader', role: 'engine' },
    { mark: 'killed' },
    { call: { create: 'a', sizeGib: 1 }, via: 'leader@first', status: 202 },
    { await: { leader: 'one', not: 'first' }, withinMs: LEASE_TTL_MS + 1_000, since: 'killed' },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: HESITATION_MS + 2_000 },

    { mark: 'second' },
    { call: { create: 'b', sizeGib: 1 }, via: 'node1', status: 202 },
    { fault: 'pause', target: 'leader@second', role: 'engine' },
    { mark: 'paused' },
    { await: { leader: 'one', not: 'second' }, withinMs: LEASE_TTL_MS + 1_000, since: 'paused' },
    { mark: 'thaw' },
    { fault: 'resume', target: 'leader@second', role: 'engine' },
    { await: { logged: 'engine.fenced', by: 'leader@second', after: 'thaw' }, withinMs: 2_000, setup: true },
    { await: { logged: 'engine.deposed', by: 'leader@second', after: 'thaw' }, withinMs: 2_000 },
    { await: { volume: 'b', state: 'ready', exported: true }, withinMs: HESITATION_MS + 2_000 },
    { call: { create: 'c', sizeGib: 1 }, via: 'node1', status: 202 },
    { await: { volume: 'c', state: 'ready', exported: true }, withinMs: HESITATION_MS + 2_000 },
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, 'heartbeats', 'no-stale-leases'],
};
