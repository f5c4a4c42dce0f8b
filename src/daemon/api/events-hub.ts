// One watch of the cluster for all event streams of an API. It is there while there are streams.

import { abortError } from '../../base/clock.ts';
import { createFeed, type Feed, type FeedOptions } from '../events/feed.ts';

/** Each has a socket and a place in the feed, and no buffer of its own. */
const MAX_STREAMS = 500;
/** A stream that begins so few revisions ago doesn't need a list of its own. */
const REACH_BACK_REVISIONS = 5000;

/** A place among the streams. To be given back, once. */
export interface Seat {
  readonly feed: Feed;
  leave(): void;
}

export interface EventHub {
  /**
   * Undefined when all seats are taken. `now`: the store's revision. Rejects with `aborted` when the
   * signal fires before the cluster is known.
   */
  join(options: {
    readonly since: number;
    readonly now: number;
    readonly signal: AbortSignal;
  }): Promise<Seat | undefined>;
}

export type EventHubOptions = Omit<FeedOptions, 'from' | 'signal'> & {
  /** Default: {@link MAX_STREAMS}. */
  readonly maxStreams?: number | undefined;
};

export function createEventHub(options: EventHubOptions): EventHub {
  const { maxStreams = MAX_STREAMS } = options;
  let current: { readonly feed: Feed; readonly stop: AbortController } | undefined;
  let taken = 0;

  const open = (from: number) => {
    const stop = new AbortController();
    return { feed: createFeed({ ...options, from, signal: stop.signal }), stop };
  };
  return {
    join: async ({ since, now, signal }) => {
      if (signal.aborted) throw abortError(signal);
      if (taken >= maxStreams) return undefined;
      taken += 1;
      let left = false;
      const leave = (): void => {
        if (left) return;
        left = true;
        taken -= 1;
        if (taken > 0) return;
        current?.stop.abort();
        current = undefined;
      };
      try {
        // One that has failed is of no use to those who come now.
        if (current === undefined || current.feed.ended.aborted) {
          current = open(since <= now && now - since <= REACH_BACK_REVISIONS ? since : now);
        }
        const { feed } = current;
        await feed.ready(signal);
        return { feed, leave };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}
