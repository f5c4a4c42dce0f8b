// etcd as a fleet uses it: so many writes at a time and no more, and counted.

import type { Clock } from '../base/clock.ts';
import { createTurns } from '../base/turns.ts';
import type { Kv } from '../kv/kv.ts';
import type { Figures } from './figures.ts';

/**
 * Thousands of agents that have lost their leases in one outage come back at the same moment. Sent all
 * at once, their writes would wait in etcd until their time is up, and be sent again.
 */
const WRITES_AT_ONCE = 128;

export function measuredKv(
  kv: Kv,
  { clock, figures }: { readonly clock: Clock; readonly figures: Figures },
): Kv {
  const turns = createTurns(WRITES_AT_ONCE);
  return {
    ...kv,
    transact: (transaction) =>
      turns.take(undefined, async () => {
        figures.transactions += 1;
        try {
          return await kv.transact(transaction);
        } catch (error) {
          figures.failedTransactions += 1;
          throw error;
        }
      }),
    grantLease: (ttlSeconds) => turns.take(undefined, () => kv.grantLease(ttlSeconds)),
    revokeLease: (leaseId) => turns.take(undefined, () => kv.revokeLease(leaseId)),
    // Never in a queue: they are what must not be late.
    keepLeaseAlive: async (leaseId) => {
      const sentMs = clock.monotonicMs();
      try {
        const ttlSeconds = await kv.keepLeaseAlive(leaseId);
        figures.heartbeats.add(clock.monotonicMs() - sentMs);
        return ttlSeconds;
      } catch (error) {
        figures.failedHeartbeats += 1;
        throw error;
      }
    },
  };
}
