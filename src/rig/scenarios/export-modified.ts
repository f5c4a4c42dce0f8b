import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, exported, threeNodes } from './common.ts';

/** "Within 2 s of the 202" (Cobalt's test plan, case 4). */
const EFFECTIVE_MS = 2_000;
const moved = { volume: 'a', withinMs: EFFECTIVE_MS, since: 'moved' } as const;
const readOnly = { volume: 'a', withinMs: EFFECTIVE_MS, since: 'read-only' } as const;

/** NFS export modified: permission moves from one consumer to the other, then becomes read-only, under a file that is open. */
export const exportModified: Scenario = {
  name: 'export-modified',
  title: 'Within 2 s of the 202 the removed consumer is refused, the new one works, and ro stops writes',
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    ...exported('a'),
    { io: 'write', volume: 'a', by: 'consumer1', file: 'one', outcome: 'ok', withinMs: 5_000 },
    { io: 'read', volume: 'a', by: 'consumer2', file: 'one', outcome: 'refused', withinMs: 5_000 },

    { mount: 'a', by: 'consumer1' },
    { traffic: 'application', by: 'consumer1', volume: 'a', openFile: 'log', reading: 'one' },
    { hold: 500, why: 'its files are open' },

    {
      call: { reexport: 'a', exports: [{ consumer: 'consumer2', access: 'rw' }] },
      via: 'node2',
      status: 202,
    },
    { mark: 'moved' },
    {
      together: [
        { io: 'write', by: 'consumer1', file: 'late', outcome: 'refused', ...moved },
        { io: 'read', by: 'consumer1', file: 'one', outcome: 'refused', ...moved },
        { io: 'read', by: 'consumer2', file: 'one', outcome: 'ok', ...moved },
        { io: 'write', by: 'consumer2', file: 'two', outcome: 'ok', ...moved },
        { await: { mounted: 'consumer1', of: 'a', on: null }, withinMs: EFFECTIVE_MS, since: 'moved' },
      ],
    },

    { endTraffic: 'application' },

    {
      call: { reexport: 'a', exports: [{ consumer: 'consumer2', access: 'ro' }] },
      via: 'node3',
      status: 202,
    },
    { mark: 'read-only' },
    {
      together: [
        { io: 'write', by: 'consumer2', file: 'three', outcome: 'refused', ...readOnly },
        { io: 'read', by: 'consumer2', file: 'two', outcome: 'ok', ...readOnly },
      ],
    },
  ],
  checks: [...ALWAYS, 'durability', 'access'],
};
