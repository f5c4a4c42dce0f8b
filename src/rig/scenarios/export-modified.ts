import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, threeNodes } from './common.ts';

/** NFS export modified: permission moves from one consumer to the other, then becomes read-only. */
export const exportModified: Scenario = {
  name: 'export-modified',
  title: 'Within 2 s of the 202 the removed consumer is refused, the new one works, and ro stops writes',
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    {
      call: { create: 'a', sizeGib: 1, exports: [{ consumer: 'consumer1', access: 'rw' }] },
      via: 'node1',
      status: 202,
    },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: 5_000 },
    { io: 'write', volume: 'a', by: 'consumer1', file: 'one', outcome: 'ok', withinMs: 1_000 },
    { io: 'read', volume: 'a', by: 'consumer2', file: 'one', outcome: 'refused', withinMs: 1_000 },

    {
      call: { reexport: 'a', exports: [{ consumer: 'consumer2', access: 'rw' }] },
      via: 'node2',
      status: 202,
    },
    { mark: 'moved' },
    {
      io: 'write',
      volume: 'a',
      by: 'consumer1',
      file: 'late',
      outcome: 'refused',
      withinMs: 2_000,
      since: 'moved',
    },
    {
      io: 'read',
      volume: 'a',
      by: 'consumer1',
      file: 'one',
      outcome: 'refused',
      withinMs: 2_000,
      since: 'moved',
    },
    { io: 'read', volume: 'a', by: 'consumer2', file: 'one', outcome: 'ok', withinMs: 2_000, since: 'moved' },
    {
      io: 'write',
      volume: 'a',
      by: 'consumer2',
      file: 'two',
      outcome: 'ok',
      withinMs: 2_000,
      since: 'moved',
    },

    {
      call: { reexport: 'a', exports: [{ consumer: 'consumer2', access: 'ro' }] },
      via: 'node3',
      status: 202,
    },
    { mark: 'read-only' },
    {
      io: 'write',
      volume: 'a',
      by: 'consumer2',
      file: 'three',
      outcome: 'refused',
      withinMs: 2_000,
      since: 'read-only',
    },
    {
      io: 'read',
      volume: 'a',
      by: 'consumer2',
      file: 'two',
      outcome: 'ok',
      withinMs: 2_000,
      since: 'read-only',
    },
  ],
  checks: [...ALWAYS, 'durability', 'access'],
};
