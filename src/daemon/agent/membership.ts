// The node's place in the cluster: a lease, a node key on it, and a persisted spec.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { backoffMs } from '../../base/retry.ts';
import { bytesToGib } from '../../base/units.ts';
import { followPrefix } from '../../kv/follow.ts';
import { nodeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { openSession, type Session } from '../../kv/session.ts';
import type { Node } from '../../model/node.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import { ensureSpec, type NodeFacts } from './spec.ts';

export interface MembershipOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly storage: Storage;
  readonly binding: Binding;
  readonly facts: NodeFacts;
  readonly leaseTtlSeconds: number;
}

export interface Membership {
  /** Registers, and again whenever lease or key are lost, until the signal fires; then gives the lease up. */
  run(signal: AbortSignal): Promise<void>;
  /** Tells the cluster how much the disk has free, if that has changed by much. */
  publishSpace(): Promise<void>;
}

/** Of the disk: a smaller change of its free space is not worth a write. */
const NOTABLE_FRACTION = 0.01;

export function createMembership(options: MembershipOptions): Membership {
  const { kv, clock, random, log, storage, binding, facts } = options;
  const key = nodeKey(facts.node);
  const startedAt = new Date(clock.nowMs()).toISOString();
  let registrations = 0;
  let published: { readonly session: Session; readonly available: number } | undefined;

  /** Overwrites whatever is there: a predecessor's key, whose lease nobody renews any more. */
  const register = async (session: Session): Promise<void> => {
    const { spec, available } = await ensureSpec({ kv, storage, facts });
    const node: Node = {
      name: facts.node,
      address: facts.address,
      labels: spec.labels,
      capacity: spec.capacity,
      available,
      roles: [...facts.roles],
      virtual: facts.virtual,
      started_at: startedAt,
    };
    for (let succeeded = false; !succeeded; ) {
      const found = (await kv.get(key)).kv;
      ({ succeeded } = await kv.transact({
        compare: [{ key, target: 'mod', equals: found?.modRevision ?? 0 }],
        writes: [{ kind: 'put', key, value: JSON.stringify(node), lease: session.leaseId }],
      }));
    }
    published = { session, available };
  };

  /** One lease, from its grant to its end. */
  const serve = async (signal: AbortSignal): Promise<void> => {
    if ((await binding.check()) === undefined) return;
    const session = await openSession({ kv, clock, ttlSeconds: options.leaseTtlSeconds, log });
    const over = AbortSignal.any([signal, session.expired]);
    let lost = false;
    try {
      await register(session);
      log.info('agent.registered', { lease: session.leaseId });
      registrations += 1;
      await keepRegistered({
        ...options,
        key,
        session,
        signal: over,
        register: async () => {
          // Its key may be gone because the whole store is another one.
          if ((await binding.check()) === undefined) {
            throw new RigError('conflict', 'etcd does not hold the cluster that this disk belongs to');
          }
          await register(session);
        },
      });
      lost = session.expired.aborted;
    } catch (error) {
      // The server may know before the session does.
      lost = session.expired.aborted || hasCode(error, 'not_found');
      throw error;
    } finally {
      published = undefined;
      if (lost) log.warn('agent.lost-lease', { lease: session.leaseId });
      await session.close();
    }
  };

  return {
    run: async (signal) => {
      for (let failures = 0; !signal.aborted; failures += 1) {
        const before = registrations;
        try {
          await serve(signal);
        } catch (error) {
          if (signal.aborted) return;
          if (!hasCode(error, 'unavailable', 'timeout', 'not_found'))
            log.error('agent.not-registered', { cause: error });
        }
        if (signal.aborted) return;
        if (registrations > before) failures = 0;
        const delayMs = backoffMs({ random, attempt: failures, baseMs: 50, capMs: 500 });
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    },
    publishSpace: async () => {
      if (published === undefined) return;
      const { session, available } = published;
      const space = await storage.space();
      const change = Math.abs(bytesToGib(space.availableBytes) - available);
      if (change > NOTABLE_FRACTION * bytesToGib(space.totalBytes) && session.isValid())
        await register(session);
    },
  };
}

/** Resolves when the signal fires. Registers anew when somebody has deleted the key although the lease lives. */
async function keepRegistered(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly key: string;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly register: () => Promise<void>;
}): Promise<void> {
  const { log, key, session } = options;
  const again = async (why: string): Promise<void> => {
    if (!session.isValid()) return;
    log.warn('agent.re-registering', { lease: session.leaseId, why });
    await options.register();
  };
  await followPrefix({
    ...options,
    prefix: key,
    log: undefined,
    onSnapshot: async ({ kvs }) => {
      if (!kvs.some((kv) => kv.key === key)) await again('its key was missing');
    },
    onBatch: async ({ events }) => {
      const last = events.filter((event) => (event.kind === 'put' ? event.kv.key : event.key) === key).at(-1);
      if (last?.kind === 'delete') await again('its key was deleted');
      // Two daemons on two machines under one name would fight over the key for ever.
      if (last?.kind === 'put' && last.kv.lease !== session.leaseId) {
        log.error('agent.usurped', { lease: session.leaseId, by: last.kv.lease });
      }
    },
  });
}
