// Declared clusters to begin with.

import {
  type Cluster,
  clusterSchema,
  memberName,
  newNode,
  STATE_VERSION,
} from '../../../src/fleet/cluster.ts';

export const clusterOf = (count: number, fields: Partial<Cluster> = {}): Cluster =>
  clusterSchema.parse({
    version: STATE_VERSION,
    prefix: 'sim',
    etcd: [],
    heartbeatSeconds: 10,
    reconcileIntervalMs: 30_000,
    failOverMs: 5000,
    profile: 'plain',
    profiles: { plain: { capacityGib: 64 } },
    nodes: Array.from({ length: count }, (_, index) => newNode(memberName('sim', index + 1), 'plain')),
    devices: [],
    ...fields,
  });
