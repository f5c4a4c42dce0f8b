// What several scenarios share: their clusters and the checks that always apply.

import type { CheckName } from '../checks/catalogue.ts';
import type { Step } from '../scenario.ts';
import type { TopologyInput } from '../topology.ts';

/** Of every lease in these clusters. Bounds below derive from it. */
export const LEASE_TTL_MS = 3_000;

/** Three nodes in three zones, two consumers. */
export const threeNodes = {
  nodes: [
    { name: 'node1', labels: { zone: 'a' } },
    { name: 'node2', labels: { zone: 'b' } },
    { name: 'node3', labels: { zone: 'c' } },
  ],
  consumers: ['consumer1', 'consumer2'],
  // Volumes stay where a scenario has put them, but for one that is about their moving.
  settings: { leaseTtlSeconds: LEASE_TTL_MS / 1000, rebalancePercent: 100 },
} as const satisfies TopologyInput;

/** The cluster is up: every node is registered, an engine leads, and every API answers. */
export const CLUSTER_UP: readonly Step[] = [
  { await: { registered: 'all' }, withinMs: 30_000 },
  { await: { leader: 'one' }, withinMs: 10_000 },
  { await: { ready: 'all' }, withinMs: 10_000 },
  { mark: 'up' },
];

/** However fast a mode and a seed are, agents are seen to keep their leases: before a TTL is over, `heartbeats` can't tell. */
export const LEASES_KEPT: Step = { hold: LEASE_TTL_MS, since: 'up', why: 'every agent renews its lease' };

/** /readyz answers by a read of etcd that ended at most so long ago (daemon/api/readiness.ts). */
const READINESS_CACHED_MS = 200;
export const READINESS_ASKED_ANEW: Step = {
  hold: READINESS_CACHED_MS + 50,
  why: '/readyz may answer by what was so until now',
};

/** A volume that consumer1 may read and write, there and exported. */
export const exported = (create: string, sizeGib = 1): readonly Step[] => [
  {
    call: { create, sizeGib, exports: [{ consumer: 'consumer1', access: 'rw' }] },
    via: 'node1',
    status: 202,
  },
  { await: { volume: create, state: 'ready', exported: true }, withinMs: 5_000 },
];

/** Invariants of every run, whatever was done to the cluster. */
export const ALWAYS: readonly CheckName[] = [
  'complete-history',
  'minimum-traffic',
  'expectations',
  'ends',
  'legal-transitions',
  'one-leader',
  'fencing',
  'one-node-per-volume',
  'no-overcommit',
  'convergence',
  'at-rest',
  'logs',
];

/** What moves and clones have to keep besides. */
export const DATA: readonly CheckName[] = ['heartbeats', 'durability', 'access'];

/** What clients at work let judge besides, whatever they do. */
export const UNDER_WORK: readonly CheckName[] = [
  ...DATA,
  'constraints',
  'clones',
  'linearizable',
  'moves',
  'told',
  'watch',
];

const MIB = 1024 ** 2;
export const mib = (count: number): number => count * MIB;
