import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, LEASES_KEPT, threeNodes } from './common.ts';

/** Agent down, volume present, changes in ETCD: the disk follows when the node returns. */
export const agentDownVolumePresent: Scenario = {
  name: 'agent-down-volume-present',
  title: "A node that was down while its volume's size and exports changed catches up, and lost no byte",
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    {
      call: {
        create: 'a',
        sizeGib: 1,
        constraints: { zone: 'b' },
        exports: [{ consumer: 'consumer1', access: 'rw' }],
      },
      via: 'node1',
      status: 202,
    },
    { await: { volume: 'a', state: 'ready', on: 'node2', exported: true }, withinMs: 5_000 },
    { io: 'write', volume: 'a', by: 'consumer1', file: 'before', outcome: 'ok', withinMs: 5_000 },
    { fault: 'kill', target: 'node2' },
    { await: { unregistered: 'node2' }, withinMs: LEASE_TTL_MS + 2_000 },
    { await: { leader: 'one' }, withinMs: LEASE_TTL_MS + 2_000 },
    {
      call: { reexport: 'a', exports: [{ consumer: 'consumer2', access: 'rw' }] },
      via: 'node1',
      status: 202,
    },
    { call: { resize: 'a', sizeGib: 2, constraints: { zone: 'b' } }, via: 'node3', status: 202 },
    { await: { volume: 'a', state: 'pending', on: 'node2' }, withinMs: 1_000 },
    { fault: 'start', target: 'node2' },
    { mark: 'node-back' },
    {
      await: { volume: 'a', state: 'ready', on: 'node2', exported: true },
      withinMs: 15_000,
      since: 'node-back',
    },
    { await: { converged: 'node2' }, withinMs: 5_000 },
    { io: 'read', volume: 'a', by: 'consumer2', file: 'before', outcome: 'ok', withinMs: 15_000 },
    { io: 'write', volume: 'a', by: 'consumer1', file: 'after', outcome: 'refused', withinMs: 2_000 },
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, 'constraints', 'heartbeats', 'durability', 'access'],
};
