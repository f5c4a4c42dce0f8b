// Whether revisions are missing in the middle of what was recorded of etcd: what the events after
// such a gap are held against may be wrong then. A record that ends early is none the worse for what it has.

import type { EtcdEvent, RecordedRun } from '../history.ts';

/** A new store is at revision 1 before anything is written to it. */
const FIRST_REVISION = 2;

/** The first revision up to this one of which there is no event. */
export function firstMissingRevision(etcd: readonly EtcdEvent[], last: number): number | undefined {
  let next = FIRST_REVISION;
  for (const { revision } of etcd) {
    if (revision > next) break;
    if (revision === next) next += 1;
  }
  return next <= last ? next : undefined;
}

/** Always false of a record in which the recorder missed nothing. */
export const hasGap = ({ etcd, etcdComplete }: Pick<RecordedRun, 'etcd' | 'etcdComplete'>): boolean =>
  !etcdComplete && firstMissingRevision(etcd, etcd.at(-1)?.revision ?? 0) !== undefined;
