// The node's place in the cluster: a lease, a node key on it, and a persisted spec.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { backoffMs } from '../../base/retry.ts';
import type { Kv } from '../../kv/kv.ts';
import { openSession, type Session } from '../../kv/session.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import { keepRegistered } from './presence.ts';
import { createRegistration, type Registration } from './registration.ts';
import type { Remains } from './remains.ts';
import { followSpec, type NodeFacts } from './spec.ts';

export interface MembershipOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly storage: Storage;
  readonly binding: Binding;
  readonly remains: Remains;
  readonly facts: NodeFacts;
  readonly leaseTtlSeconds: number;
}

export interface Membership extends Pick<Registration, 'publish' | 'announceLeaving'> {
  /**
   * Registers, and again whenever lease or key are lost, until the signal fires; then gives the lease up.
   * Rejects with `unsupported` when the cluster is one that this daemon can't work in.
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createMembership(options: MembershipOptions): Membership {
  const { kv, clock, random, log, binding } = options;
  const registration = createRegistration(options);
  let registrations = 0;

  /** One lease, from its grant to its end. */
  const serve = async (signal: AbortSignal): Promise<void> => {
    if ((await binding.check()) === undefined) return;
    const session = await openSession({ kv, clock, ttlSeconds: options.leaseTtlSeconds, log });
    const ended = new AbortController();
    // Whoever doesn't work for a cluster isn't offered to it either.
    const over = AbortSignal.any([signal, session.expired, ended.signal, binding.refused()]);
    let lost = false;
    try {
      await registration.register(session);
      log.info('agent.registered', { lease: session.leaseId });
      registrations += 1;
      const following = [
        keepRegistered({ ...options, session, signal: over, register: () => reRegister(session) }),
        followSpec({ ...options, signal: over, onSpec: (spec) => registration.takeOver(spec) }),
      ];
      try {
        await Promise.all(following);
      } finally {
        ended.abort();
        await Promise.allSettled(following);
      }
      lost = session.expired.aborted;
    } catch (error) {
      // The server may know before the session does.
      lost = session.expired.aborted || hasCode(error, 'not_found');
      throw error;
    } finally {
      registration.forget();
      if (lost) log.warn('agent.lost-lease', { lease: session.leaseId });
      await session.close();
    }
  };

  /** Its key may be gone because the whole store is another one. */
  const reRegister = async (session: Session): Promise<void> => {
    if ((await binding.check()) !== undefined) await registration.register(session);
  };

  return {
    run: async (signal) => {
      for (let failures = 0; !signal.aborted; failures += 1) {
        const before = registrations;
        try {
          await serve(signal);
        } catch (error) {
          if (signal.aborted) return;
          // One that has worked here waits for its cluster to come back: its volumes are in use.
          if (hasCode(error, 'unsupported') && registrations === 0) throw error;
          if (!hasCode(error, 'unavailable', 'timeout', 'not_found'))
            log.error('agent.not-registered', { cause: error });
        }
        if (signal.aborted) return;
        if (registrations > before) failures = 0;
        const delayMs = backoffMs({ random, attempt: failures, baseMs: 50, capMs: 500 });
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    },
    publish: registration.publish,
    announceLeaving: registration.announceLeaving,
  };
}
