// The leader's work for the subscribers, beside planning: one watch for all of them, and a life of its
// own for each, so that one whose callback is dead delays nobody else.

import { backOff } from '../../../base/retry.ts';
import { createTurns } from '../../../base/turns.ts';
import type { Leadership } from '../../../kv/election.ts';
import { SUBSCRIPTIONS_PREFIX } from '../../../kv/keys.ts';
import type { KeyValue, Kv } from '../../../kv/kv.ts';
import { createView, type View, type ViewChange } from '../../../kv/view.ts';
import { parseStored, readable } from '../../../model/parse.ts';
import { subscriptionSchema } from '../../../model/subscription.ts';
import { createFeed, type Feed } from '../../events/feed.ts';
import type { CallbackOptions } from './deliver.ts';
import { createLedger } from './ledger.ts';
import { cursorOf, serveSubscriber } from './subscriber.ts';

/** Calls at a time to those who answered last time, and soon; and to those who didn't. */
const CONCURRENT_CALLS = 64;
const CONCURRENT_OTHERS = 16;
const CONCURRENT_SAVES = 8;
/** How far back the common watch begins, for those whose cursor is no older. */
const REACH_BACK_REVISIONS = 5000;

export interface NotifierOptions extends CallbackOptions {
  readonly kv: Kv;
  /** Events that are kept for the subscribers. Default: as in feed.ts. */
  readonly capacity?: number;
}

/** What an engine does while it leads. Resolves when leadership is lost and all calls have ended. */
export function createNotifier(options: NotifierOptions): (leadership: Leadership) => Promise<void> {
  return async (leadership) => {
    const stop = new AbortController();
    const signal = AbortSignal.any([leadership.lost, stop.signal]);
    const subscribers = createSubscribers(options, { leadership, signal });
    try {
      await createView({
        ...options,
        prefix: SUBSCRIPTIONS_PREFIX,
        signal,
        log: undefined,
        onChange: subscribers.follow,
      }).done;
    } finally {
      stop.abort();
      await subscribers.ended();
    }
  };
}

interface Life {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

function createSubscribers(
  options: NotifierOptions,
  { leadership, signal }: { readonly leadership: Leadership; readonly signal: AbortSignal },
) {
  const { log } = options;
  const lives = new Map<string, Life>();
  const gates = { well: createTurns(CONCURRENT_CALLS), others: createTurns(CONCURRENT_OTHERS) };
  const gate = createTurns(CONCURRENT_SAVES);
  let feed: Feed | undefined;

  /** There is none, and no watch, while there are no subscriptions. */
  const feedFor = (view: View): Feed => {
    if (feed === undefined || feed.ended.aborted) {
      feed = createFeed({ ...options, from: startOf(view), signal });
    }
    return feed;
  };
  const live = async (stored: KeyValue, view: View, ended: AbortSignal): Promise<void> => {
    const { clock, random } = options;
    let newest = stored;
    for (let attempt = 0; !ended.aborted; attempt += 1) {
      try {
        const subscription = parseStored(subscriptionSchema, newest);
        const fence = leadership.fence();
        const ledger = createLedger({ ...options, fence, gate, stored: newest, subscription });
        const served = { ...options, feed: feedFor(view), gates, ledger, stored: newest, signal: ended };
        return await serveSubscriber(served);
      } catch (cause) {
        // A feed that has failed is `aborted`, too; the next go has another one.
        if (ended.aborted) return;
        log.error('notify.failed', { key: stored.key, cause });
      }
      await backOff({ clock, random, signal: ended, attempt, baseMs: 2000, capMs: 60_000 });
      newest = view.entries.get(stored.key) ?? newest;
    }
  };
  const begin = (stored: KeyValue, view: View): void => {
    if (lives.has(stored.key)) return;
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    lives.set(stored.key, { stop, done: live(stored, view, ended) });
  };
  const end = (key: string): void => {
    lives.get(key)?.stop.abort();
    lives.delete(key);
  };

  return {
    follow: (view: View, change: ViewChange): void => {
      if (change.kind === 'events') {
        for (const event of change.events) {
          if (event.kind === 'put') begin(event.kv, view);
          else end(event.key);
        }
        return;
      }
      for (const key of lives.keys()) if (!view.entries.has(key)) end(key);
      for (const stored of view.entries.values()) begin(stored, view);
    },
    ended: async (): Promise<void> => {
      await Promise.all([...lives.values()].map(({ done }) => done));
    },
  };
}

/** The oldest cursor that isn't too old: from there on one watch does for all. */
function startOf({ entries, revision }: View): number {
  // One that can't be read is reported by its own life.
  const all = readable(subscriptionSchema, { kvs: [...entries.values()], onMalformed: () => undefined });
  const cursors = all.map(({ kv, value }) => cursorOf(value, kv));
  return Math.min(revision, ...cursors.filter((cursor) => revision - cursor <= REACH_BACK_REVISIONS));
}
