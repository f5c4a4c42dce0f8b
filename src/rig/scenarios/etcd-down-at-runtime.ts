import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, threeNodes } from './common.ts';

const NODES = ['node1', 'node2', 'node3'];

/** ETCD down during runtime: API, leases and agents; data stays in use all the while. */
export const etcdDownAtRuntime: Scenario = {
  name: 'etcd-down-at-runtime',
  title: 'Without etcd the API says 503, engines step down, and no volume, export or byte changes',
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    {
      call: { create: 'a', sizeGib: 1, exports: [{ consumer: 'consumer1', access: 'rw' }] },
      via: 'node1',
      status: 202,
    },
    {
      call: { create: 'b', sizeGib: 2, exports: [{ consumer: 'consumer2', access: 'rw' }] },
      via: 'node2',
      status: 202,
    },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: 5_000 },
    { await: { volume: 'b', state: 'ready', exported: true }, withinMs: 5_000 },
    { io: 'write', volume: 'a', by: 'consumer1', file: 'before', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', volume: 'b', by: 'consumer2', file: 'before', outcome: 'ok', withinMs: 5_000 },
    { inventory: 'before-outage' },
    { traffic: 'traffic1', by: 'consumer1', volume: 'a' },
    { mark: 'outage' },
    { fault: 'kill', target: 'etcd' },
    { probe: 'etcd-absent', via: NODES, withinMs: 2_000 },
    {
      await: { logged: 'engine.deposed', by: 'leader@outage', after: 'outage' },
      withinMs: LEASE_TTL_MS + 1_000,
      since: 'outage',
    },
    { hold: LEASE_TTL_MS, why: 'the outage outlasts every lease' },
    { io: 'read', volume: 'b', by: 'consumer2', file: 'before', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', volume: 'b', by: 'consumer2', file: 'during', outcome: 'ok', withinMs: 5_000 },
    { inventory: 'during-outage' },
    { fault: 'start', target: 'etcd' },
    { mark: 'etcd-back' },
    // Keys from before the outage come back with etcd; what counts is that they are written anew.
    { await: { registered: 'all', since: 'etcd-back' }, withinMs: 10_000, since: 'etcd-back' },
    { await: { leader: 'one', electedSince: 'etcd-back' }, withinMs: 10_000, since: 'etcd-back' },
    { await: { ready: 'all' }, withinMs: 10_000, since: 'etcd-back' },
    { call: { create: 'c', sizeGib: 1 }, via: 'node3', status: 202 },
    { await: { volume: 'c', state: 'ready' }, withinMs: 5_000 },
    { endTraffic: 'traffic1' },
    { hold: LEASE_TTL_MS + 1_000, why: 'one lease TTL passes after the return' },
  ],
  checks: [
    ...ALWAYS,
    'traffic-uninterrupted',
    'outage-changes-nothing',
    'no-stale-leases',
    'durability',
    'access',
  ],
};
