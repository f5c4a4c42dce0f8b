import type { Scenario } from '../scenario.ts';
import { ALWAYS, LEASE_TTL_MS, threeNodes } from './common.ts';

const NODES = ['node1', 'node2', 'node3'];

/** ETCD down at start: any API call; then work begins once it is there. */
export const etcdDownAtStart: Scenario = {
  name: 'etcd-down-at-start',
  title: 'Nodes stay up and say 503 while etcd is absent, and start work when it comes',
  topology: threeNodes,
  absentAtStart: ['etcd'],
  script: [
    { await: { answering: 'all' }, withinMs: 30_000 },
    { probe: 'etcd-absent', via: NODES, withinMs: 2_000 },
    { hold: LEASE_TTL_MS, why: 'the nodes wait for etcd' },
    { probe: 'etcd-absent', via: NODES, withinMs: 2_000 },
    { fault: 'start', target: 'etcd' },
    { mark: 'etcd-there' },
    { await: { registered: 'all' }, withinMs: 10_000, since: 'etcd-there' },
    { await: { leader: 'one' }, withinMs: 10_000, since: 'etcd-there' },
    { await: { ready: 'all' }, withinMs: 10_000, since: 'etcd-there' },
    { call: { create: 'a', sizeGib: 1 }, via: 'node1', status: 202 },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: 5_000 },
  ],
  checks: ALWAYS,
};
