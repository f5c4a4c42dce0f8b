// Leases of the in-memory etcd. Source: etcd's server/lease/lessor.go, release 3.5.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { below, hex, type Random } from '../base/random.ts';
import type { Lease } from './kv.ts';

/**
 * The least TTL that etcd grants: ceil(3 * electionTicks / 2 * heartbeat)
 * (etcdserver/server.go), which is ceil(15 * 100 ms) = 2 s at etcd's defaults.
 */
const MIN_TTL_SECONDS = 2;
/** etcd refuses more (lease.MaxLeaseTTL). */
const MAX_TTL_SECONDS = 9_000_000_000;
/** etcd looks for expired leases every 500 ms, so a lease's keys outlive it by up to that. */
const EXPIRY_SCAN_MS = 500;
/** A new leader gives every lease its TTL anew, and one election timeout more (lessor.Promote). */
const PROMOTION_EXTENSION_MS = 1000;

export interface Leases {
  /** `invalid` for a TTL beyond etcd's maximum. */
  grant(ttlSeconds: number): Lease;
  /** `not_found` if it is gone or past its time, even while its keys are still there. */
  renew(leaseId: string): number;
  /** Forgets the lease; `not_found` if it is gone. The caller deletes the keys. */
  remove(leaseId: string): void;
  exists(leaseId: string): boolean;
  ids(): readonly string[];
  /** No lease runs out while the server is stopped. */
  suspend(): void;
  /** The server is back: every lease starts over. */
  resume(): void;
}

interface LiveLease extends Lease {
  expiresAtMs: number;
  cancelTimer: () => void;
}

/** With `random`, ids are random and expiry lags as etcd's does; without, ids count up and expiry is exact. */
export function createLeases(options: {
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly onExpired: (leaseId: string) => void;
}): Leases {
  const { clock, random, onExpired } = options;
  const leases = new Map<string, LiveLease>();
  let granted = 0;

  const newId = (): string => {
    granted += 1;
    // 63 bits, as etcd's ids, which are positive int64s.
    return random === undefined ? String(granted) : String(BigInt(`0x${hex(random, 16)}`) >> 1n);
  };
  const find = (leaseId: string): LiveLease => {
    const lease = leases.get(leaseId);
    if (lease === undefined) throw new RigError('not_found', `lease ${leaseId} does not exist`);
    return lease;
  };
  const arm = (lease: LiveLease): void => {
    lease.cancelTimer();
    const lagMs = random === undefined ? 0 : below(random, EXPIRY_SCAN_MS);
    const delayMs = Math.max(0, lease.expiresAtMs - clock.monotonicMs()) + lagMs;
    lease.cancelTimer = clock.after(delayMs, () => {
      // Renewals only move the end; the timer finds out when it rings.
      if (clock.monotonicMs() < lease.expiresAtMs) arm(lease);
      else onExpired(lease.id);
    });
  };

  return {
    grant: (ttlSeconds) => {
      if (ttlSeconds > MAX_TTL_SECONDS)
        throw new RigError('invalid', `a TTL of ${ttlSeconds} s is too large`);
      const ttl = Math.max(ttlSeconds, MIN_TTL_SECONDS);
      const expiresAtMs = clock.monotonicMs() + ttl * 1000;
      const lease: LiveLease = { id: newId(), ttlSeconds: ttl, expiresAtMs, cancelTimer: () => {} };
      leases.set(lease.id, lease);
      arm(lease);
      return { id: lease.id, ttlSeconds: ttl };
    },
    renew: (leaseId) => {
      const lease = find(leaseId);
      if (clock.monotonicMs() >= lease.expiresAtMs) {
        throw new RigError('not_found', `lease ${leaseId} has expired`);
      }
      lease.expiresAtMs = clock.monotonicMs() + lease.ttlSeconds * 1000;
      return lease.ttlSeconds;
    },
    remove: (leaseId) => {
      find(leaseId).cancelTimer();
      leases.delete(leaseId);
    },
    exists: (leaseId) => leases.has(leaseId),
    ids: () => [...leases.keys()],
    suspend: () => {
      for (const lease of leases.values()) lease.cancelTimer();
    },
    resume: () => {
      for (const lease of leases.values()) {
        lease.expiresAtMs = clock.monotonicMs() + lease.ttlSeconds * 1000 + PROMOTION_EXTENSION_MS;
        arm(lease);
      }
    },
  };
}
