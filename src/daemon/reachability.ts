// Whether etcd answers, as seen by the calls that are made anyhow. It costs no
// extra calls and says it once: at the first failure, and when it is over.
//
// An etcd that has answered us once and refuses us now has had its users or
// certificates changed: an outage like any other, which whoever rotates them
// ends. Only one that refuses us from the start is a mistake of our settings.

import { hasCode, RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { tapped } from '../base/tapped.ts';
import type { Kv } from '../kv/kv.ts';

export interface ObservedKv extends Kv {
  /** Undefined before the first call has ended. */
  isReachable(): boolean | undefined;
}

/**
 * The same store; logs `etcd.unreachable` and `etcd.reached`, once a change. What is `unsupported` after
 * the first answer is `unavailable`, with that as its cause.
 */
export function observeReachability(kv: Kv, log: Log): ObservedKv {
  let reachable: boolean | undefined;

  let accepted = false;

  const note = (now: boolean, cause?: unknown): void => {
    if (now === reachable) return;
    if (now) log.info('etcd.reached');
    else log.warn('etcd.unreachable', { cause });
    reachable = now;
  };
  const asOutage = (error: unknown): unknown =>
    accepted && hasCode(error, 'unsupported')
      ? new RigError('unavailable', error.message, { definite: error.definite, cause: error })
      : error;
  const observe = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const answer = await call;
      accepted = true;
      note(true);
      return answer;
    } catch (cause) {
      const error = asOutage(cause);
      // Any other refusal is an answer, too.
      if (hasCode(error, 'unavailable', 'timeout')) note(false, error);
      else if (!hasCode(error, 'aborted')) note(true);
      throw error;
    }
  };

  return {
    isReachable: () => reachable,
    get: (key) => observe(kv.get(key)),
    list: (prefix, options) => observe(kv.list(prefix, options)),
    transact: (transaction) => observe(kv.transact(transaction)),
    grantLease: (ttlSeconds) => observe(kv.grantLease(ttlSeconds)),
    keepLeaseAlive: (leaseId) => observe(kv.keepLeaseAlive(leaseId)),
    revokeLease: (leaseId) => observe(kv.revokeLease(leaseId)),
    listLeases: () => observe(kv.listLeases()),
    // A watch may end for reasons of its own; only what it delivers is a sign.
    watch: (options) => tapped(kv.watch(options), { onItem: () => note(true), onFailure: asOutage }),
    close: () => kv.close(),
  };
}
