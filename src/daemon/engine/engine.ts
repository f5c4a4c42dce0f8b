// The engine's life: a lease, a candidacy, a term, and again, until stopped.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { hex, type Random } from '../../base/random.ts';
import { backoffMs } from '../../base/retry.ts';
import { campaign } from '../../kv/election.ts';
import type { Kv } from '../../kv/kv.ts';
import { openSession, type Session } from '../../kv/session.ts';
import { lead } from './lead.ts';

export interface EngineOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  readonly leaseTtlSeconds: number;
  /** Default: none is switched on. */
  readonly failpoints?: Failpoints;
}

export interface Engine {
  /** Takes part until the signal fires, then gives up its lease and resolves. Waits while etcd is away. */
  run(signal: AbortSignal): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  // Two processes of one node must not take each other's leader key for their own.
  const instance = hex(options.random, 16);
  return {
    run: async (signal) => {
      let failures = 0;
      while (!signal.aborted) {
        try {
          const session = await openSession({
            kv: options.kv,
            clock: options.clock,
            ttlSeconds: options.leaseTtlSeconds,
            log: options.log,
          });
          failures = 0;
          await serve(options, { session, instance, signal });
        } catch (error) {
          if (signal.aborted) return;
          if (!hasCode(error, 'unavailable', 'timeout', 'not_found')) throw error;
          const delayMs = backoffMs({ random: options.random, attempt: failures, baseMs: 50, capMs: 500 });
          failures += 1;
          await options.clock.sleep(delayMs, signal).catch(() => undefined);
        }
      }
    },
  };
}

/** Campaigns, leads for one term, and gives the lease up: a new term has a new one. */
async function serve(
  options: EngineOptions,
  context: { readonly session: Session; readonly instance: string; readonly signal: AbortSignal },
): Promise<void> {
  const { kv, clock, random, log, node } = options;
  const { session, instance, signal } = context;
  try {
    const leadership = await campaign({ kv, clock, random, session, candidate: { node, instance }, signal });
    const { term, lost } = leadership;
    log.info('engine.elected', { term, lease: session.leaseId });
    let believing = true;
    const stopBelieving = (reason: string): void => {
      if (believing) log.info('engine.deposed', { term, reason });
      believing = false;
    };
    // At once, and not when the work under way has ended: from now on nobody may take it for the leader.
    lost.addEventListener('abort', () => stopBelieving(lossOf(lost)), { once: true });
    const reason = await lead({ ...options, leadership });
    stopBelieving(reason ?? lossOf(lost));
    // Deleting the leader key fences off any write of this term that is still on its way.
    await leadership.resign();
  } finally {
    await session.close();
  }
}

function lossOf(lost: AbortSignal): string {
  const cause: unknown = lost.reason;
  return cause instanceof RigError ? cause.message : 'its lease has run out';
}
