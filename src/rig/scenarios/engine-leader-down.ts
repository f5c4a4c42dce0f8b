import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, threeNodes } from './common.ts';

const STAYS_DEAD = { engine: 'never' } as const;

/**
 * Engine leader down, its agent alive: another takes its place and schedules.
 * Then a leader that freezes and thaws must find that it can no longer write.
 */
export const engineLeaderDown: Scenario = {
  name: 'engine-leader-down',
  title:
    'When only the leading engine dies or freezes, another leads within a TTL + 1 s and no heartbeat is missed',
  topology: { ...threeNodes, nodes: threeNodes.nodes.map((node) => ({ ...node, restart: STAYS_DEAD })) },
  script: [
    ...CLUSTER_UP,
    { mark: 'first' },
    { fault: 'kill', target: 'leader', role: 'engine' },
    { mark: 'killed' },
    { call: { create: 'a', sizeGib: 1 }, via: 'leader@first', status: 202 },
    { await: { leader: 'one', not: 'first' }, withinMs: LEASE_TTL_MS + 1_000, since: 'killed' },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: 2_000 },

    { mark: 'second' },
    { fault: 'pause', target: 'leader', role: 'engine' },
    { mark: 'paused' },
    { call: { create: 'b', sizeGib: 1 }, via: 'node1', status: 202 },
    { await: { leader: 'one', not: 'second' }, withinMs: LEASE_TTL_MS + 1_000, since: 'paused' },
    { await: { volume: 'b', state: 'ready', exported: true }, withinMs: 2_000 },
    { mark: 'thaw' },
    { fault: 'resume', target: 'leader@second', role: 'engine' },
    {
      await: { logged: 'engine.deposed', by: 'leader@second', after: 'thaw' },
      withinMs: 2_000,
      since: 'thaw',
    },
    { call: { create: 'c', sizeGib: 1 }, via: 'node1', status: 202 },
    { await: { volume: 'c', state: 'ready', exported: true }, withinMs: 2_000 },
  ],
  checks: [...ALWAYS, 'heartbeats', 'no-stale-leases'],
};
