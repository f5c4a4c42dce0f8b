// The engine's life: a lease, a candidacy, a term, and again, until stopped.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { hex, type Random } from '../../base/random.ts';
import { backOff } from '../../base/retry.ts';
import { campaign } from '../../kv/election.ts';
import type { Kv } from '../../kv/kv.ts';
import { openSession, type Session } from '../../kv/session.ts';
import { lead } from './lead.ts';
import { runSideTask, type SideTask } from './side-task.ts';

const DEFAULT_MAX_MOVES = 2;
const DEFAULT_REBALANCE_PERCENT = 20;
/** How long an engine that ends waits for what it does beside planning. */
const SIDE_TASK_STOP_MS = 1000;

export interface EngineOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  readonly leaseTtlSeconds: number;
  /** Moves under way at a time that no client asked for, in the whole cluster. Default: 2. */
  readonly maxMoves?: number;
  /** How far above the average a node's reservations may be, in per cent of its capacity. Default: 20; 100: however far. */
  readonly rebalancePercent?: number;
  /** Runs beside planning, once a term, for as long as this engine leads. Default: nothing. */
  readonly whileLeading?: SideTask;
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
          await backOff({ ...options, signal, attempt: failures, baseMs: 50, capMs: 500 });
          failures += 1;
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
  let beside: Promise<void> = Promise.resolve();
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
    // Deleting the leader key fences off any write of this term that is still on its way, so that nobody
    // need wait for its answer before another engine leads.
    let resignation: Promise<void> | undefined;
    const onLost = (): void => {
      stopBelieving(lossOf(lost));
      resignation ??= leadership.resign();
    };
    lost.addEventListener('abort', onLost, { once: true });
    if (lost.aborted) onLost();
    if (options.whileLeading !== undefined) {
      beside = runSideTask(options.whileLeading, { ...options, leadership });
    }
    const reason = await lead({
      ...options,
      maxMoves: options.maxMoves ?? DEFAULT_MAX_MOVES,
      rebalancePercent: options.rebalancePercent ?? DEFAULT_REBALANCE_PERCENT,
      leadership,
    });
    stopBelieving(reason ?? lossOf(lost));
    resignation ??= leadership.resign();
    await resignation;
  } finally {
    await session.close();
  }
  // Not between terms: the next one need not wait.
  if (signal.aborted) await endOf(beside, clock);
}

/** Resolves when the task has ended, or when it was given time enough. */
function endOf(task: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(SIDE_TASK_STOP_MS, resolve);
    void task.then(() => {
      cancel();
      resolve();
    });
  });
}

function lossOf(lost: AbortSignal): string {
  const cause: unknown = lost.reason;
  return cause instanceof RigError ? cause.message : 'its lease has run out';
}
