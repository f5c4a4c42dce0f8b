// One event to one subscriber, tried until it is delivered or given up.

import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { Random } from '../../../base/random.ts';
import { backoffMs } from '../../../base/retry.ts';
import type { Turns } from '../../../base/turns.ts';
import type { Network } from '../../../network/network.ts';
import type { Ledger } from './ledger.ts';
import { eventIdOf, type Sendable, sendOnce } from './send.ts';

/** The first wait is 1-2 s, the longest 30-60 s. */
const BACKOFF_BASE_MS = 2000;
const BACKOFF_CAP_MS = 60_000;
/** A call that takes longer is slow, even if it succeeds. */
const SLOW_MS = 1000;

/** What all callbacks go by. */
export interface CallbackOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly network: Network;
  /** How long an event that isn't taken is tried again. A new leader begins to count anew. */
  readonly giveUpMs: number;
  /** Whether callbacks may lead to this very host. Default: false. */
  readonly loopback?: boolean;
}

export interface DeliveryOptions extends CallbackOptions {
  /** Who answers soon isn't kept waiting by those who don't. */
  readonly gates: { readonly well: Turns; readonly others: Turns };
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

/** How a subscriber took what was sent last; kept from one event to the next. */
export interface Pace {
  isSlow: boolean;
}

export interface Delivery {
  readonly sendable: Sendable;
  readonly pace: Pace;
  readonly onFailure: () => Promise<void>;
}

/**
 * True when the event is settled: delivered, or given up, which the ledger then says. False when there
 * is nothing more to do for the subscription. `onFailure` is called before each wait for another go.
 */
export async function deliver(
  options: DeliveryOptions,
  { sendable, pace, onFailure }: Delivery,
): Promise<boolean> {
  const { clock, random, ledger, log, gates, giveUpMs, signal } = options;
  const { id } = ledger.subscription;
  const startedMs = clock.monotonicMs();
  for (let attempt = 0; !signal.aborted && !ledger.isOver; attempt += 1) {
    const { subscription } = ledger;
    const wasFailing = subscription.failing_since !== null;
    const gate = wasFailing || pace.isSlow ? gates.others : gates.well;
    const outcome = await gate.take(undefined, async () => {
      const sentMs = clock.monotonicMs();
      const attempted = await sendOnce({ ...options, subscription, sendable });
      pace.isSlow = clock.monotonicMs() - sentMs > SLOW_MS;
      return attempted;
    });
    if (outcome.kind === 'stopped') return false;
    if (outcome.kind === 'gone') {
      log.info('notify.unsubscribed', { subscription: id });
      await ledger.remove();
      if (ledger.isOver) return false;
    } else if (outcome.kind === 'delivered') {
      if (wasFailing) ledger.change({ failing_since: null });
      return true;
    }
    noteFailure(options, { sendable, message: outcome.kind === 'failed' ? outcome.message : 'status 410' });
    if (!wasFailing) log.warn('notify.failing', { subscription: id, eventId: eventIdOf(sendable) });
    const leftMs = startedMs + giveUpMs - clock.monotonicMs();
    if (leftMs <= 0) {
      ledger.change({ dropped: ledger.subscription.dropped + 1 });
      log.warn('notify.dropped', { subscription: id, eventId: eventIdOf(sendable) });
      await ledger.save();
      return true;
    }
    await ledger.saveIfDue();
    await onFailure();
    const delayMs = backoffMs({ random, attempt, baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS });
    await clock.sleep(Math.min(delayMs, leftMs), signal).catch(() => undefined);
  }
  return false;
}

/** What the subscription then says of it; only the first failure of a spell, and the last of an event, are written. */
function noteFailure(
  { clock, ledger }: DeliveryOptions,
  { sendable, message }: { readonly sendable: Sendable; readonly message: string },
): void {
  const at = new Date(clock.nowMs()).toISOString();
  const { failing_since } = ledger.subscription;
  ledger.change({
    failing_since: failing_since ?? at,
    last_error: { at, revision: sendable.event.revision, message },
  });
}
