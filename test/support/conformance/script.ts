// Short scripts that every mode has to play with the same outcome (outcome.ts), one after the other on one
// cluster. Volumes are told apart by the scripts' letters; who has which node is decided by zones and room, for
// nothing that chance decides can be compared.

import type { Scenario, Step } from '../../../src/rig/scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, mib } from '../../../src/rig/scenarios/common.ts';

const LEASE_TTL_MS = 3_000;
/** Modes may differ in how long they take: how soon the system has to be is for the scenarios to judge. */
const SOON_MS = 15_000;
const first = 'consumer1';
const second = 'consumer2';
const rw = (consumer: string) => ({ consumer, access: 'rw' }) as const;
const ready = (volume: string, more: object = {}): Step => ({
  await: { volume, state: 'ready', exported: true, ...more },
  withinMs: SOON_MS,
});
const io =
  (kind: 'read' | 'write', by: string, file: string, outcome: 'ok' | 'refused' | 'full' | 'unknown') =>
  (volume: string, bytes?: number): Step => ({
    io: kind,
    volume,
    by,
    file,
    outcome,
    withinMs: SOON_MS,
    ...(bytes !== undefined && { bytes }),
  });

/** By name, in the order in which they are played. */
export const CONFORMANCE: Readonly<Record<string, readonly Step[]>> = {
  'create, export, write and read': [
    {
      call: { create: 'a', sizeGib: 1, constraints: { zone: 'b' }, exports: [rw(first)] },
      via: 'node3',
      status: 202,
    },
    ready('a', { on: 'node2' }),
    io('write', first, 'one', 'ok')('a'),
    io('read', first, 'one', 'ok')('a'),
  ],
  'a consumer that is refused, and then is not': [
    io('read', second, 'one', 'refused')('a'),
    {
      call: { reexport: 'a', exports: [rw(first), { consumer: second, access: 'ro' }] },
      via: 'node1',
      status: 202,
    },
    ready('a'),
    io('read', second, 'one', 'ok')('a'),
    io('write', second, 'two', 'refused')('a'),
    {
      call: { reexport: 'a', exports: [rw(first), { consumer: second, access: 'ro' }] },
      via: 'node2',
      status: 304,
    },
  ],
  'a resize that lets a full volume go on': [
    {
      call: { create: 'r', sizeGib: 1 / 16, constraints: { zone: 'b' }, exports: [rw(first)] },
      via: 'node1',
      status: 202,
    },
    ready('r', { on: 'node2' }),
    io('write', first, 'most', 'ok')('r', mib(16)),
    io('write', first, 'too-large', 'unknown')('r', mib(64)),
    io('write', first, 'no-room', 'full')('r'),
    { call: { resize: 'r', sizeGib: 1 / 4, constraints: { zone: 'b' } }, via: 'node2', status: 202 },
    ready('r', { sizeGib: 1 / 4 }),
    io('write', first, 'room', 'ok')('r'),
    {
      call: { resize: 'r', sizeGib: 1 / 32, constraints: { zone: 'b' } },
      via: 'node3',
      status: 409,
      because: { usedBytes: { least: mib(60), most: mib(256) } },
    },
  ],
  'a clone that outlives its parent': [
    { call: { clone: 'c', of: 'a', sizeGib: 1, exports: [rw(second)] }, via: 'node1', status: 202 },
    ready('c', { on: 'node2' }),
    { call: { remove: 'a' }, via: 'node3', status: 202 },
    { await: { volume: 'a', state: 'absent' }, withinMs: SOON_MS },
    { call: { remove: 'a' }, via: 'node2', status: 404 },
    io('read', second, 'one', 'ok')('c'),
  ],
  'a move': [
    { call: { create: 'm', sizeGib: 1, exports: [rw(first)] }, via: 'node2', status: 202 },
    // It has the most room.
    ready('m', { on: 'node1' }),
    io('write', first, 'one', 'ok')('m'),
    { mark: 'move' },
    { call: { move: 'm', to: 'node3' }, via: 'node2', status: 202 },
    { await: { told: first, volume: 'm', to: 'remount', on: 'node3', after: 'move' }, withinMs: SOON_MS },
    ready('m', { on: 'node3' }),
    io('read', first, 'one', 'ok')('m'),
    { await: { empty: 'node1' }, withinMs: SOON_MS },
  ],
  'a node that is killed and comes back': [
    { fault: 'kill', target: 'node2' },
    { await: { unregistered: 'node2' }, withinMs: SOON_MS },
    { call: { reexport: 'c', exports: [rw(first)] }, via: 'node1', status: 202 },
    { mark: 'back' },
    { fault: 'start', target: 'node2' },
    { await: { registered: 'node2', since: 'back' }, withinMs: SOON_MS },
    ready('c', { on: 'node2' }),
    io('read', first, 'one', 'ok')('c'),
    io('read', second, 'one', 'refused')('c'),
  ],
  'etcd that stops and starts': [
    { fault: 'stop', target: 'etcd' },
    { probe: 'etcd-absent', via: ['node1', 'node2', 'node3'], withinMs: SOON_MS },
    io('read', first, 'one', 'ok')('c'),
    // So long that every lease is lost, in whichever mode, and each node comes back.
    { hold: 2 * LEASE_TTL_MS, why: 'etcd is away' },
    { mark: 'etcd' },
    { fault: 'start', target: 'etcd' },
    { await: { ready: 'all' }, withinMs: SOON_MS },
    { await: { registered: 'all' }, withinMs: SOON_MS },
    { await: { leader: 'one', electedSince: 'etcd' }, withinMs: SOON_MS },
  ],
  'a leader that is killed': [
    { mark: 'led' },
    { fault: 'kill', target: 'leader', role: 'engine' },
    { await: { leader: 'one', electedSince: 'led' }, withinMs: SOON_MS },
    { call: { create: 'l', sizeGib: 1, constraints: { zone: 'c' }, exports: [] }, via: 'node1', status: 202 },
    ready('l', { on: 'node3' }),
  ],
  'a drain': [
    { call: { create: 'd', sizeGib: 2, exports: [rw(first)] }, via: 'node3', status: 202 },
    ready('d', { on: 'node1' }),
    io('write', first, 'one', 'ok')('d'),
    { call: { drain: 'node1' }, via: 'node2', status: 202 },
    ready('d', { notOn: 'node1' }),
    { await: { draining: 'node1', left: { least: 0, most: 0 }, remains: 0 }, withinMs: SOON_MS },
    io('read', first, 'one', 'ok')('d'),
    { call: { undrain: 'node1' }, via: 'node1', status: 202 },
    { call: { drain: 'nobody' }, via: 'node1', status: 404 },
  ],
};

export const conformance: Scenario = {
  name: 'conformance',
  title: 'What every mode has to play with the same outcome',
  topology: {
    nodes: [
      { name: 'node1', labels: { zone: 'a' }, capacityGib: 32 },
      { name: 'node2', labels: { zone: 'b' } },
      { name: 'node3', labels: { zone: 'c' } },
    ],
    consumers: [first, second],
    settings: { leaseTtlSeconds: LEASE_TTL_MS / 1_000, rebalancePercent: 100 },
  },
  script: [...CLUSTER_UP, { follow: first, via: 'node3' }, ...Object.values(CONFORMANCE).flat()],
  checks: [...ALWAYS, ...DATA, 'constraints', 'clones', 'moves', 'told', 'watch'],
};
