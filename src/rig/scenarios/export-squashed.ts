import type { Scenario, Step } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, threeNodes } from './common.ts';

/** Any but root and nobody. */
const SOMEBODY = 1_000;

/** A volume of that name and squash, with a file of root's and one of somebody's. */
const written = (squash: 'none' | 'root' | 'all'): readonly Step[] => {
  const file = { volume: squash, by: 'consumer1', outcome: 'ok', withinMs: 5_000 } as const;
  return [
    {
      call: { create: squash, sizeGib: 1, exports: [{ consumer: 'consumer1', access: 'rw', squash }] },
      via: 'node1',
      status: 202,
    },
    { await: { volume: squash, state: 'ready', exported: true }, withinMs: 5_000 },
    { io: 'write', ...file, file: 'by-root' },
    { io: 'write', ...file, file: 'by-somebody', uid: SOMEBODY },
  ];
};

/** Whom the server takes a consumer's users for shows in whose the files are, on the disk. */
export const exportSquashed: Scenario = {
  name: 'export-squashed',
  title: 'Who writes through NFS owns the file with squash none, not root with root, and nobody with all',
  topology: threeNodes,
  script: [...CLUSTER_UP, ...written('none'), ...written('root'), ...written('all')],
  checks: [...ALWAYS, 'access'],
};
