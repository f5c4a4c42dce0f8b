import type { Step } from '../scenario.ts';
import { withoutEtcd } from './without-etcd.ts';

const MEMBERS = ['etcd1', 'etcd2', 'etcd3'] as const;
const each = (fault: 'pause' | 'resume'): Step => ({
  together: MEMBERS.map((target): Step => ({ fault, target })),
});

/**
 * Every member of etcd freezes: connections are accepted and stay open, and nothing answers. A member
 * that thaws carries out what was sent to it meanwhile, and finds that every lease has run out.
 */
export const etcdFrozen = withoutEtcd({
  name: 'etcd-frozen',
  title: 'While all of etcd is frozen the API says 503 in time, and no volume, export or byte changes',
  etcd: { members: 3 },
  begins: each('pause'),
  ends: each('resume'),
  // A new leader of etcd's takes up to 2 s, and whoever waits for a silent member up to 9 s.
  recoveryMs: 15_000,
});
