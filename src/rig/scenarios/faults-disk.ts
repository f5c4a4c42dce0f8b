import { CLUSTER_UP, exported, threeNodes } from './common.ts';
import { ALL_WORK, faultFamily } from './fault-family.ts';

const [node1, node2, node3] = threeNodes.nodes;

/** Disks that are full, read-only, failing and slow, and a volume that is full. */
export const faultsDisk = faultFamily({
  name: 'faults-disk',
  title:
    'Clients work while disks fill up, go read-only, fail and slow down, and no acknowledged byte is lost',
  topology: { ...threeNodes, nodes: [{ ...node1, disk: 'breakable' }, node2, node3] },
  before: [...CLUSTER_UP, ...exported('data', 0.25)],
  // The volume that is to be full has to stay.
  workload: {
    ...ALL_WORK,
    mix: { ...ALL_WORK.mix, create: 1, clone: 1, remove: 0 },
    volumes: { most: 20, sizesGib: [0.25, 0.5] },
  },
  faults: [
    { inject: { fault: 'quota-full', volume: 'data' } },
    { inject: { fault: 'disk-full', on: 'one' } },
    { inject: { fault: 'disk-read-only', on: 'one' } },
    { inject: { fault: 'disk-slow', on: 'node1', kbitPerSecond: 8_000 } },
    { inject: { fault: 'disk-errors', on: 'node1' } },
  ],
});
