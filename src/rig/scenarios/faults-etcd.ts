import { threeNodes } from './common.ts';
import { faultFamily } from './fault-family.ts';

const LEASE_TTL_SECONDS = 6;

/** etcd without a member, without a quorum, without a member's data, compacted; and leases that are revoked. */
export const faultsEtcd = faultFamily({
  name: 'faults-etcd',
  title: 'Clients work while etcd loses members, its quorum, data, history and leases',
  topology: {
    ...threeNodes,
    etcd: { members: 3 },
    // A new leader of etcd's takes up to 2 s, in which no lease is renewed.
    settings: { ...threeNodes.settings, leaseTtlSeconds: LEASE_TTL_SECONDS },
  },
  faults: [
    { inject: { fault: 'kill', on: 'etcd-leader' } },
    { inject: { fault: 'pause', on: 'etcd-follower' } },
    // Every lease is renewed too late.
    { inject: { fault: 'pause', on: 'etcd-majority' }, lastsMs: 1_000 * (LEASE_TTL_SECONDS + 1) },
    { inject: { fault: 'restart', on: 'etcd-one' } },
    { inject: { fault: 'restart', on: 'etcd-all' } },
    { inject: { fault: 'partition', shape: 'isolate', on: 'etcd-leader' } },
    { inject: { fault: 'etcd-data-loss', on: 'etcd-minority' } },
    { inject: { fault: 'etcd-compaction', everyMs: 250 } },
    { inject: { fault: 'lease-revoked', on: 'one', role: 'agent' } },
    { inject: { fault: 'lease-revoked', on: 'leader', role: 'engine' } },
  ],
});
