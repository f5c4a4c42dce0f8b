// One subscription under one leader: its events in order, from where the last leader wrote down that
// it was.

import { RigError } from '../../../base/errors.ts';
import type { KeyValue } from '../../../kv/kv.ts';
import { passes } from '../../../model/event.ts';
import type { Subscription } from '../../../model/subscription.ts';
import type { Told } from '../../events/changes.ts';
import type { Feed } from '../../events/feed.ts';
import { type DeliveryOptions, deliver, type Pace } from './deliver.ts';
import { SAVE_INTERVAL_MS } from './ledger.ts';
import type { Sendable } from './send.ts';

/** After so many revisions without an event for it the cursor is written nonetheless, lest it be compacted. */
const SAVE_LAG_REVISIONS = 500;
const IDLE_MS = 60_000;

export interface SubscriberOptions extends DeliveryOptions {
  readonly feed: Feed;
  readonly stored: KeyValue;
}

/** Up to where everything is delivered; at first, where it was ordered. */
export function cursorOf({ delivered }: Subscription, { createRevision }: KeyValue): number {
  return Math.max(delivered, createRevision);
}

/**
 * Resolves when there is nothing more to do for it: it was deleted, or the signal fired. Throws
 * `unavailable` when the feed ends before.
 */
export async function serveSubscriber(options: SubscriberOptions): Promise<void> {
  const { feed, ledger, signal, stored } = options;
  let cursor = cursorOf(ledger.subscription, stored);
  let lag = 0;
  const pace: Pace = { isSlow: false };
  await feed.ready(signal);
  while (!signal.aborted && !feed.ended.aborted && !ledger.isOver) {
    const idleMs = (): number => (ledger.isDirty ? SAVE_INTERVAL_MS : IDLE_MS);
    const reader = feed.read({ since: cursor, signal, idleMs });
    // While nobody answers, nothing is kept waiting for it: reading begins anew after the delivery.
    const onFailure = async (): Promise<void> => void (await reader.return(undefined));
    for await (const told of reader) {
      const sendables = sendablesOf(told, ledger.subscription);
      for (const sendable of sendables) {
        if (!(await deliver(options, { sendable, pace, onFailure }))) return;
      }
      cursor = told.revision;
      lag += told.events.length > 0 ? 1 : 0;
      if (sendables.length > 0 || lag >= SAVE_LAG_REVISIONS) {
        ledger.change({ delivered: cursor });
        lag = 0;
      }
      await ledger.saveIfDue();
      if (ledger.isOver) return;
    }
  }
  if (feed.ended.aborted && !signal.aborted && !ledger.isOver) {
    throw new RigError('unavailable', 'the common watch of events has ended', { cause: feed.ended.reason });
  }
}

/** Of a reset, only that there was one: the consumer then asks for what there is. */
function sendablesOf({ events }: Told, { volumes }: Subscription): readonly Sendable[] {
  return events.flatMap((event, index): readonly Sendable[] => {
    if (event.kind === 'snapshot') return [];
    return passes({ kinds: ['export', 'move'], volumes }, event) ? [{ event, index }] : [];
  });
}
