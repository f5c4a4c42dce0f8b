import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, exported, threeNodes } from './common.ts';

/** NFS export created: the accepted consumer works, the other is refused. */
export const exportCreated: Scenario = {
  name: 'export-created',
  title: 'The accepted consumer mounts, reads and writes; the other is refused',
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    ...exported('a'),
    { io: 'write', volume: 'a', by: 'consumer1', file: 'one', outcome: 'ok', withinMs: 5_000 },
    { io: 'read', volume: 'a', by: 'consumer1', file: 'one', outcome: 'ok', withinMs: 5_000 },
    { io: 'read', volume: 'a', by: 'consumer2', file: 'one', outcome: 'refused', withinMs: 5_000 },
    { io: 'write', volume: 'a', by: 'consumer2', file: 'two', outcome: 'refused', withinMs: 5_000 },
    { io: 'read', volume: 'a', by: 'consumer1', file: 'one', outcome: 'ok', withinMs: 5_000 },
  ],
  checks: [...ALWAYS, 'durability', 'access'],
};
