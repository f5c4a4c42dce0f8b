// A connection that can be held up, as by SIGSTOP or a network that queues:
// calls made meanwhile are sent when it goes on.

import { RigError } from '../../src/base/errors.ts';
import { VOLUMES_PREFIX } from '../../src/kv/keys.ts';
import type { Kv, Transaction } from '../../src/kv/kv.ts';

export interface PausableKv extends Kv {
  /** Holds back every unary call from now on; `only` those transactions, if given. */
  pause(only?: (transaction: Transaction) => boolean): void;
  resume(): void;
  /** Makes the next transactions on volumes time out, without an effect. */
  failNext(count: number): void;
  readonly failuresLeft: number;
  /** Calls held back right now. */
  readonly held: number;
}

export function pausable(kv: Kv): PausableKv {
  let gate: Promise<void> | undefined;
  let open = (): void => {};
  let filter: ((transaction: Transaction) => boolean) | undefined;
  let held = 0;
  let failuresLeft = 0;
  const pass = async <T>(call: () => Promise<T>, transaction?: Transaction): Promise<T> => {
    const concerned = filter === undefined || (transaction !== undefined && filter(transaction));
    if (gate !== undefined && concerned) {
      held += 1;
      await gate;
      held -= 1;
    }
    if (failuresLeft > 0 && transaction?.writes.some(({ key }) => key.startsWith(VOLUMES_PREFIX)) === true) {
      failuresLeft -= 1;
      throw new RigError('timeout', 'no answer on demand', { definite: false });
    }
    return call();
  };
  return {
    ...kv,
    get failuresLeft() {
      return failuresLeft;
    },
    failNext: (count) => {
      failuresLeft = count;
    },
    get held() {
      return held;
    },
    pause: (only) => {
      filter = only;
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    resume: () => {
      gate = undefined;
      open();
    },
    get: (key) => pass(() => kv.get(key)),
    list: (prefix, options) => pass(() => kv.list(prefix, options)),
    transact: (transaction) => pass(() => kv.transact(transaction), transaction),
    grantLease: (ttlSeconds) => pass(() => kv.grantLease(ttlSeconds)),
    keepLeaseAlive: (leaseId) => pass(() => kv.keepLeaseAlive(leaseId)),
    revokeLease: (leaseId) => pass(() => kv.revokeLease(leaseId)),
  };
}
