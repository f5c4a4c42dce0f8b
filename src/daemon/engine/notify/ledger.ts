// What etcd holds of a subscription, in the leader's hands: how far it is and what goes wrong. Each
// write is fenced, so that a deposed leader can't turn a cursor back; and there are few of them, for
// each is a revision that everybody who watches is told of.

import type { Clock } from '../../../base/clock.ts';
import { hasCode } from '../../../base/errors.ts';
import type { Turns } from '../../../base/turns.ts';
import { LEADER_KEY, subscriptionKey } from '../../../kv/keys.ts';
import type { Compare, KeyValue, Kv } from '../../../kv/kv.ts';
import type { Subscription } from '../../../model/subscription.ts';

/** So often at the most: after a change of leader, what was delivered since is delivered again. */
export const SAVE_INTERVAL_MS = 1000;

export type Progress = Pick<Subscription, 'delivered' | 'dropped' | 'failing_since' | 'last_error'>;

export interface Ledger {
  /** With what is not written yet. */
  readonly subscription: Subscription;
  /** True while there is something to write. */
  readonly isDirty: boolean;
  /** True when it was deleted, or is another leader's: there is nothing more to do for it here. */
  readonly isOver: boolean;
  change(progress: Partial<Progress>): void;
  /** Writes, if there is anything. Without an answer from the store it stays dirty. */
  save(): Promise<void>;
  /** The same, unless it was done less than {@link SAVE_INTERVAL_MS} ago. */
  saveIfDue(): Promise<void>;
  /** Deletes the subscription; it is then over, unless there was no answer. */
  remove(): Promise<void>;
}

export interface LedgerOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly fence: Compare;
  readonly gate: Turns;
  readonly stored: KeyValue;
  readonly subscription: Subscription;
}

export function createLedger(options: LedgerOptions): Ledger {
  const { kv, clock, fence, gate } = options;
  const { createRevision } = options.stored;
  const key = subscriptionKey(options.subscription.id);
  let { subscription } = options;
  let { modRevision } = options.stored;
  let isDirty = false;
  let isOver = false;
  let savedMs = Number.NEGATIVE_INFINITY;

  /** The revision of the key as it is now, if it is the same one and this leader leads. */
  const readAgain = async (): Promise<number | undefined> => {
    const leader = (await kv.get(LEADER_KEY)).kv;
    const found = (await kv.get(key)).kv;
    const isOurs = leader?.createRevision === fence.equals && found?.createRevision === createRevision;
    return isOurs ? found?.modRevision : undefined;
  };
  const write = async (value: Subscription): Promise<void> => {
    while (!isOver) {
      const { succeeded, revision } = await kv.transact({
        compare: [fence, { key, target: 'mod', equals: modRevision }],
        writes: [{ kind: 'put', key, value: JSON.stringify(value) }],
      });
      // Only the leader writes there: what was written meanwhile is our own, and its answer was lost.
      const next = succeeded ? revision : await readAgain();
      if (next === undefined) isOver = true;
      else modRevision = next;
      if (succeeded) return;
    }
  };
  const unlessAway = async (work: () => Promise<void>): Promise<void> => {
    savedMs = clock.monotonicMs();
    try {
      await gate.take(undefined, work);
    } catch (error) {
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
    }
  };
  const save = async (): Promise<void> => {
    if (!isDirty || isOver) return;
    await unlessAway(async () => {
      await write(subscription);
      isDirty = false;
    });
  };

  return {
    get subscription() {
      return subscription;
    },
    get isDirty() {
      return isDirty;
    },
    get isOver() {
      return isOver;
    },
    change: (progress) => {
      subscription = { ...subscription, ...progress };
      isDirty = true;
    },
    save,
    saveIfDue: async () => {
      if (clock.monotonicMs() - savedMs >= SAVE_INTERVAL_MS) await save();
    },
    remove: () =>
      unlessAway(async () => {
        await kv.transact({
          compare: [fence, { key, target: 'create', equals: createRevision }],
          writes: [{ kind: 'delete', key }],
        });
        isOver = true;
      }),
  };
}
