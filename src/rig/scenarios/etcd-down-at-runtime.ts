import { withoutEtcd } from './without-etcd.ts';

/** ETCD down during runtime: API, leases and agents; data stays in use all the while. */
export const etcdDownAtRuntime = withoutEtcd({
  name: 'etcd-down-at-runtime',
  title: 'Without etcd the API says 503, engines step down, and no volume, export or byte changes',
  begins: { fault: 'kill', target: 'etcd' },
  ends: { fault: 'start', target: 'etcd' },
  recoveryMs: 10_000,
});
