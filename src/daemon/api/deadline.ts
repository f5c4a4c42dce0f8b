// An API call answers within 2 s whatever etcd does: README promises it. One call may
// need several reads and writes, so the bound is on all of them together.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Kv } from '../../kv/kv.ts';

/**
 * The same store for `timeoutMs` from now; afterwards every call rejects with
 * `timeout`. Work that is still under way then may yet happen, but nothing
 * new is begun.
 */
export function withDeadline(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly timeoutMs: number;
}): Kv {
  const { kv, clock, timeoutMs } = options;
  const endMs = clock.monotonicMs() + timeoutMs;

  const bounded = async <T>(begin: () => Promise<T>): Promise<T> => {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) throw timeoutError(timeoutMs);
    let cancel = (): void => {};
    const expiry = new Promise<never>((_resolve, reject) => {
      cancel = clock.after(leftMs, () => reject(timeoutError(timeoutMs)));
    });
    try {
      return await Promise.race([begin(), expiry]);
    } finally {
      cancel();
    }
  };

  return {
    ...kv,
    get: (key) => bounded(() => kv.get(key)),
    list: (prefix, options) => bounded(() => kv.list(prefix, options)),
    transact: (transaction) => bounded(() => kv.transact(transaction)),
  };
}

function timeoutError(timeoutMs: number): RigError {
  return new RigError('timeout', `etcd did not answer within ${timeoutMs} ms`, { definite: false });
}
