// Since when this engine has known of each failure, by its own monotonic clock: the times that
// other nodes write are by clocks which may be hours away from this one's.

import { volumeKey } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import type { ClusterState } from './state.ts';

const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 60_000;

/** How long to wait after so many failures in a row: 1 s after the first, doubling, at most 60 s. */
export function patienceMs(count: number): number {
  const doublings = Math.min(30, Math.max(0, count - 1));
  return Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** doublings);
}

export interface Failure {
  /** Of the volume's key: another write is another failure. */
  readonly modRevision: number;
  /** Monotonic clock. */
  readonly seenMs: number;
}

/** By volume id; of volumes that are in error now, and no others. */
export type Failures = ReadonlyMap<string, Failure>;

/** What is known at `nowMs`, given what was known before. */
export function observeFailures(
  known: Failures,
  now: {
    readonly state: ClusterState;
    readonly entries: ReadonlyMap<string, KeyValue>;
    readonly nowMs: number;
  },
): Failures {
  const failed = now.state.volumes.filter(({ state }) => state === 'error');
  return new Map(
    failed.map(({ id }): [string, Failure] => {
      const modRevision = now.entries.get(volumeKey(id))?.modRevision ?? 0;
      const before = known.get(id);
      return [id, before?.modRevision === modRevision ? before : { modRevision, seenMs: now.nowMs }];
    }),
  );
}
