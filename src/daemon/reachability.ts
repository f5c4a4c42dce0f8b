// Whether etcd answers, as seen by the calls that are made anyhow. It costs no
// extra calls and says it once: at the first failure, and when it is over.

import { hasCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Kv, WatchBatch, WatchOptions } from '../kv/kv.ts';

export interface ObservedKv extends Kv {
  /** Undefined before the first call has ended. */
  isReachable(): boolean | undefined;
}

/** The same store; logs `etcd.unreachable` and `etcd.reached`, once a change. */
export function observeReachability(kv: Kv, log: Log): ObservedKv {
  let reachable: boolean | undefined;

  const note = (now: boolean, cause?: unknown): void => {
    if (now === reachable) return;
    if (now) log.info('etcd.reached');
    else log.warn('etcd.unreachable', { cause });
    reachable = now;
  };
  const observe = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const answer = await call;
      note(true);
      return answer;
    } catch (error) {
      // Any other refusal is an answer, too.
      if (hasCode(error, 'unavailable', 'timeout')) note(false, error);
      else if (!hasCode(error, 'aborted')) note(true);
      throw error;
    }
  };

  return {
    isReachable: () => reachable,
    get: (key) => observe(kv.get(key)),
    list: (prefix) => observe(kv.list(prefix)),
    transact: (transaction) => observe(kv.transact(transaction)),
    grantLease: (ttlSeconds) => observe(kv.grantLease(ttlSeconds)),
    keepLeaseAlive: (leaseId) => observe(kv.keepLeaseAlive(leaseId)),
    revokeLease: (leaseId) => observe(kv.revokeLease(leaseId)),
    listLeases: () => observe(kv.listLeases()),
    watch: (options) => observeWatch(kv, options),
    close: () => kv.close(),
  };

  // A watch may end for reasons of its own; only what it delivers is a sign.
  async function* observeWatch(source: Kv, options: WatchOptions): AsyncGenerator<WatchBatch> {
    for await (const batch of source.watch(options)) {
      note(true);
      yield batch;
    }
  }
}
