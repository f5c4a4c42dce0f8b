// A lease kept alive, and an honest account of how long it can be relied on.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Kv } from './kv.ts';

/** Renewals are sent this many times per TTL; two may be lost before the lease is in danger. */
const RENEWALS_PER_TTL = 3;
/** After a failed renewal the next one follows sooner: this many fit into a TTL. */
const RETRIES_PER_TTL = 12;

export interface Session {
  readonly leaseId: string;
  /** What the server granted. */
  readonly ttlSeconds: number;
  /**
   * When the holder must stop relying on the lease, on the monotonic clock: the
   * moment the last successful renewal was *sent*, plus the TTL. The server
   * counts from when it received it, so the belief never outlives the lease. (But for
   * a leader of etcd that has lost the other members and hasn't noticed yet: what it
   * renews the next leader doesn't know. There only fencing protects.)
   */
  readonly validUntilMs: number;
  /** Asks the clock, not a timer, so it is right even in the first moment after a SIGCONT. */
  isValid(): boolean;
  /** Fires when the lease has run out, is gone on the server, or was given up. */
  readonly expired: AbortSignal;
  /** Ends the belief, then revokes the lease. Never rejects: a lease that can't be revoked runs out. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  /** Whole seconds; etcd grants at least 2. */
  readonly ttlSeconds: number;
  /** Ends the session as a crash would: without revoking the lease. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
}

/**
 * Grants a lease and renews it every third of its TTL until it is lost or
 * closed. Rejects as {@link Kv.grantLease} does; trying again is the caller's
 * business. The monotonic clock runs through SIGSTOP but, on Linux, not
 * through a suspend of the whole machine: there only fencing protects.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { kv, clock, signal, log } = options;
  const grantedAtMs = clock.monotonicMs();
  const lease = await kv.grantLease(options.ttlSeconds);
  const ttlMs = lease.ttlSeconds * 1000;
  const expired = new AbortController();
  let validUntilMs = grantedAtMs + ttlMs;

  const expire = (why: string): void => {
    if (expired.signal.aborted) return;
    log?.info('kv.session.ended', { lease: lease.id, why });
    signal?.removeEventListener('abort', onAbort);
    expired.abort(new RigError('not_found', `lease ${lease.id} is no longer held: ${why}`));
  };
  const onAbort = (): void => expire('its holder was stopped');
  const isValid = (): boolean => {
    if (!expired.signal.aborted && clock.monotonicMs() >= validUntilMs) expire('its time ran out');
    return !expired.signal.aborted;
  };

  /** One renewal; true if it came through. Never rejects. */
  const renew = async (): Promise<boolean> => {
    const sentAtMs = clock.monotonicMs();
    try {
      const ttlSeconds = await kv.keepLeaseAlive(lease.id);
      // An answer that comes after the end has come too late: others may have acted on the end.
      if (isValid()) validUntilMs = Math.max(validUntilMs, sentAtMs + ttlSeconds * 1000);
      return true;
    } catch (error) {
      if (hasCode(error, 'not_found')) expire('the server no longer knows it');
      else log?.debug('kv.session.renewal_failed', { lease: lease.id, cause: error });
      return false;
    }
  };

  void keepRenewing({ clock, ttlMs, renew, isValid, untilMs: () => validUntilMs, ended: expired.signal });
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });

  return {
    leaseId: lease.id,
    ttlSeconds: lease.ttlSeconds,
    get validUntilMs() {
      return validUntilMs;
    },
    isValid,
    expired: expired.signal,
    close: async () => {
      expire('it was closed');
      await kv.revokeLease(lease.id).catch((error: unknown) => {
        log?.debug('kv.session.revoke_failed', { lease: lease.id, cause: error });
      });
    },
  };
}

/** Renews until `ended`, and notices by itself when the time has run out. Never rejects. */
async function keepRenewing(options: {
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly renew: () => Promise<boolean>;
  readonly isValid: () => boolean;
  readonly untilMs: () => number;
  readonly ended: AbortSignal;
}): Promise<void> {
  const { clock, ttlMs, renew, isValid, untilMs, ended } = options;
  /** False if the session ended meanwhile. Never sleeps past the end of the lease. */
  const sleep = (ms: number): Promise<boolean> =>
    clock.sleep(Math.max(0, Math.min(ms, untilMs() - clock.monotonicMs())), ended).then(
      () => true,
      () => false,
    );
  while (await sleep(ttlMs / RENEWALS_PER_TTL)) {
    if (!isValid()) return;
    let renewed: boolean | undefined;
    while (renewed !== true && isValid()) {
      // A renewal without an answer is not waited for: one that is sent anew may come through.
      renewed = await Promise.race([renew(), sleep(ttlMs / RENEWALS_PER_TTL).then(() => undefined)]);
      if (renewed === false && !(await sleep(ttlMs / RETRIES_PER_TTL))) return;
    }
  }
}
