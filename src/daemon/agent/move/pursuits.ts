// What moves have under way on this node, beside the queue: one task for each
// volume, from the first copy to the last remains. Each round begins with a
// fresh read, and what failed is tried again with growing patience.

import { abortError } from '../../../base/clock.ts';
import { RigError } from '../../../base/errors.ts';
import { backoffMs } from '../../../base/retry.ts';
import { createTurns } from '../../../base/turns.ts';
import type { Claims } from './claims.ts';
import { complain } from './complaint.ts';
import { readStored, targetOf } from './context.ts';
import { type DisposalMemory, dispose } from './disposal.ts';
import { createOutages } from './outages.ts';
import { type Correspondence, createCorrespondence } from './sending.ts';
import { transfer } from './transfer.ts';
import { isPassing, isToBeTold, worsened } from './trouble.ts';
import type { MoverOptions } from './types.ts';

/** Streams at a time: more of them would only share the link and the disks. */
const MOST_TRANSFERS = 4;
/**
 * Cutovers at a time. Each holds a place in this node's queue while it waits for one in the other's: were all the
 * places of two nodes taken by cutovers to each other, none would end.
 */
const MOST_CUTOVERS = 2;
/** Each reads all of a volume, on both nodes. */
const MOST_DISPOSALS = 2;
const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 10_000;

export interface Pursuits {
  /** Does whatever is to be done about the volume; nothing if that is under way already. */
  begin(id: string): void;
  /** To be told of a volume's target, or that it has none: what was under way to another one ends. */
  redirect(id: string, target: string | undefined): void;
  idle(): Promise<void>;
}

interface Pursuit {
  readonly id: string;
  /** Ends the round that is under way; another one begins. */
  interrupt: AbortController;
  correspondence: Correspondence | undefined;
  readonly memory: DisposalMemory;
}

export function createPursuits(
  options: MoverOptions & { readonly claims: Claims; readonly stopped: AbortSignal },
): Pursuits {
  const { clock, random, log, node, stopped } = options;
  const running = new Map<string, { readonly pursuit: Pursuit; readonly done: Promise<void> }>();
  const outages = createOutages(clock);
  const transfers = createTurns(MOST_TRANSFERS);
  const cutovers = createTurns(MOST_CUTOVERS);
  const disposals = createTurns(MOST_DISPOSALS);

  const round = async (pursuit: Pursuit, failures: number): Promise<'done' | 'again' | 'later'> => {
    const { id, memory } = pursuit;
    const signal = AbortSignal.any([stopped, pursuit.interrupt.signal]);
    const stored = await readStored(options, id);
    if (stored === undefined) return 'done';
    const target = targetOf(stored.volume, node);
    if (target === undefined) {
      pursuit.correspondence = undefined;
      if (stored.volume.node === node) return 'done';
      let end: 'done' | 'later' = 'later';
      await disposals.take(signal, async () => {
        end = await dispose(options, id, { signal, memory });
      });
      return end;
    }
    if (pursuit.correspondence?.target !== target) {
      pursuit.correspondence = createCorrespondence(id, target);
    }
    const { correspondence } = pursuit;
    await outages.rest(id, signal);
    await options.announceLeaving(id);
    // From a fresh read again, however long it has waited.
    await transfers.take(signal, () =>
      transfer({ ...options, outages, cutovers }, { correspondence, signal, failures }),
    );
    return 'again';
  };

  const consider = async (correspondence: Correspondence | undefined, cause: RigError): Promise<void> => {
    if (correspondence === undefined) return;
    const nowMs = clock.monotonicMs();
    const { stage } = correspondence;
    correspondence.trouble = worsened(correspondence.trouble, { cause, stage, nowMs });
    if (isToBeTold(correspondence.trouble, { cause, nowMs })) await complain(options, correspondence, cause);
  };

  const pursue = async (pursuit: Pursuit): Promise<void> => {
    let failures = 0;
    while (!stopped.aborted) {
      if (pursuit.interrupt.signal.aborted) pursuit.interrupt = new AbortController();
      try {
        const end = await round(pursuit, failures);
        if (end === 'done') return;
        if (end === 'again') {
          failures = 0;
          continue;
        }
      } catch (error) {
        if (stopped.aborted) return;
        if (pursuit.interrupt.signal.aborted) continue;
        const cause = RigError.from(error);
        const fields = { volume: pursuit.id, to: pursuit.correspondence?.target, failures, cause };
        if (isPassing(cause)) log.warn('move.failed', fields);
        else log.error('move.failed', fields);
        await consider(pursuit.correspondence, cause);
      }
      const delayMs = backoffMs({ random, attempt: failures, baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS });
      failures += 1;
      const signal = AbortSignal.any([stopped, pursuit.interrupt.signal]);
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  };

  return {
    begin: (id) => {
      if (stopped.aborted || running.has(id)) return;
      const memory = { agreed: undefined, isKept: false };
      const pursuit: Pursuit = { id, interrupt: new AbortController(), correspondence: undefined, memory };
      const done = pursue(pursuit).finally(() => running.delete(id));
      running.set(id, { pursuit, done });
    },
    redirect: (id, target) => {
      const pursuit = running.get(id)?.pursuit;
      if (pursuit?.correspondence !== undefined && pursuit.correspondence.target !== target) {
        pursuit.interrupt.abort(abortError());
      }
    },
    idle: async () => {
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
