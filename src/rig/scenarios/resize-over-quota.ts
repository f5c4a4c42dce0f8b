import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, LEASES_KEPT, mib, threeNodes } from './common.ts';

const a = { volume: 'a', by: 'consumer1' } as const;
const GIB = 1024;

/**
 * A consumer writes to the limit of its quota and is stopped there. The volume grows, and it goes on; it may
 * not shrink below what it holds; and it grows to more than its node has, so that it moves.
 */
export const resizeOverQuota: Scenario = {
  name: 'resize-over-quota',
  title: 'Quotas hold, grow under a consumer, never shrink below the data, and move what does not fit',
  topology: {
    ...threeNodes,
    nodes: [
      { name: 'node1', labels: { zone: 'a' }, capacityGib: 2 },
      { name: 'node2', labels: { zone: 'b' } },
      { name: 'node3', labels: { zone: 'b' }, roles: ['api', 'engine'] },
    ],
  },
  script: [
    ...CLUSTER_UP,
    {
      call: {
        create: 'a',
        sizeGib: 64 / GIB,
        constraints: { zone: 'a' },
        exports: [{ consumer: 'consumer1', access: 'rw' }],
      },
      via: 'node3',
      status: 202,
    },
    { await: { volume: 'a', state: 'ready', on: 'node1', exported: true }, withinMs: 5_000 },
    { io: 'write', ...a, file: 'first', bytes: mib(16), outcome: 'ok', withinMs: 10_000 },
    // libnfs doesn't tell why a write that had begun was cut short; the next one is told.
    { io: 'write', ...a, file: 'too-large', bytes: mib(64), outcome: 'unknown', withinMs: 10_000 },
    { io: 'write', ...a, file: 'no-room', outcome: 'full', withinMs: 5_000 },

    { call: { resize: 'a', sizeGib: 256 / GIB, constraints: { zone: 'a' } }, via: 'node2', status: 202 },
    { await: { volume: 'a', state: 'ready', on: 'node1', sizeGib: 256 / GIB }, withinMs: 5_000 },
    { io: 'write', ...a, file: 'second', bytes: mib(24), outcome: 'ok', withinMs: 10_000 },

    {
      call: { resize: 'a', sizeGib: 64 / GIB, constraints: { zone: 'a' } },
      via: 'node3',
      status: 409,
      because: { usedBytes: { least: mib(80), most: mib(256) } },
    },
    { await: { volume: 'a', state: 'ready', on: 'node1', sizeGib: 256 / GIB }, withinMs: 100 },
    { io: 'read', ...a, file: 'first', outcome: 'ok', withinMs: 5_000 },

    { call: { resize: 'a', sizeGib: 4 }, via: 'node3', status: 202 },
    { await: { volume: 'a', state: 'ready', on: 'node2', sizeGib: 4, exported: true }, withinMs: 15_000 },
    { io: 'read', ...a, file: 'second', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', ...a, file: 'third', bytes: mib(8), outcome: 'ok', withinMs: 10_000 },
    { await: { empty: 'node1' }, withinMs: 10_000 },
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, ...DATA, 'constraints', 'moves'],
};
