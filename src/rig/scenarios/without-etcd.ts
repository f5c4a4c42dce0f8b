// An etcd that is away for longer than every lease, whatever keeps it away, while
// clients call the API and use their volumes.

import type { Scenario, Step } from '../scenario.ts';
import type { TopologyInput } from '../topology.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, READINESS_ASKED_ANEW, threeNodes } from './common.ts';

const NODES = ['node1', 'node2', 'node3'];

export function withoutEtcd(outage: {
  readonly name: string;
  readonly title: string;
  /** Default: one member. */
  readonly etcd?: TopologyInput['etcd'];
  readonly begins: Step;
  readonly ends: Step;
  /** How long a cluster may take to be whole again. */
  readonly recoveryMs: number;
}): Scenario {
  const { name, title, etcd, begins, ends, recoveryMs } = outage;
  const afterwards = { withinMs: recoveryMs, since: 'etcd-back' } as const;
  return {
    name,
    title,
    topology: { ...threeNodes, ...(etcd !== undefined && { etcd }) },
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
      begins,
      READINESS_ASKED_ANEW,
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
      // Nothing can be written before etcd is back, but at once then.
      { mark: 'etcd-back' },
      ends,
      // Keys from before the outage come back with etcd; what counts is that they are written anew.
      { await: { registered: 'all', since: 'etcd-back' }, ...afterwards },
      { await: { leader: 'one', electedSince: 'etcd-back' }, ...afterwards },
      { await: { ready: 'all' }, ...afterwards },
      { call: { create: 'c', sizeGib: 1 }, via: 'node3', status: 202 },
      { await: { volume: 'c', state: 'ready' }, withinMs: 5_000 },
      { endTraffic: 'traffic1' },
      { io: 'read', volume: 'b', by: 'consumer2', file: 'during', outcome: 'ok', withinMs: 5_000 },
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
}
