import { LEASE_TTL_MS, threeNodes } from './common.ts';
import { faultFamily } from './fault-family.ts';

const EVERY_NODE = ['node1', 'node2', 'node3'];

/** Whoever can't reach etcd loses its lease meanwhile. */
const lastsMs = LEASE_TTL_MS + 1_000;

/** Every shape of a partition, each kind of link cut by itself, and links that are merely bad. */
export const faultsNetwork = faultFamily({
  name: 'faults-network',
  title: 'Clients work while links are cut, lossy, late, narrow, reset and half-open',
  topology: threeNodes,
  faults: [
    { inject: { fault: 'partition', shape: 'isolate', on: 'leader' }, lastsMs },
    { inject: { fault: 'partition', shape: 'halves', on: ['node2', 'consumer1'] }, lastsMs },
    { inject: { fault: 'partition', shape: 'bridge', on: 'node1' } },
    { inject: { fault: 'partition', shape: 'majorities-ring', on: [...EVERY_NODE, 'etcd'] } },
    { inject: { fault: 'cut', from: 'leader', to: 'etcd', oneWay: true }, lastsMs },
    { inject: { fault: 'cut', from: 'etcd', to: 'follower' } },
    { inject: { fault: 'cut', from: 'node1', to: ['node2', 'node3'] } },
    { inject: { fault: 'cut', from: 'consumer1', to: EVERY_NODE } },
    { inject: { fault: 'loss', on: 'one', percent: 20 } },
    { inject: { fault: 'latency', on: 'leader', delayMs: 200, jitterMs: 50 } },
    { inject: { fault: 'bandwidth', on: 'one', kbitPerSecond: 1_000 } },
    { inject: { fault: 'reset', on: 'one' } },
    { inject: { fault: 'half-open', on: 'etcd' } },
  ],
});
