// Events as a stream of server-sent events (HTML standard, 9.2). The id is etcd's revision.

import type { Clock } from '../../base/clock.ts';
import { type ClusterEvent, type EventFilter, passes } from '../../model/event.ts';
import type { Feed } from '../events/feed.ts';

/** A client sees at least so often that the stream lives, and from where it may resume. */
export const HEARTBEAT_MS = 15_000;
/** A client that takes nothing for so long is cut off. */
export const STALL_MS = 30_000;
/** How long a browser waits before it comes back. */
const RETRY_MS = 1000;
/** Events that are written at once, lest a snapshot become one text of many MB. */
const EVENTS_A_CHUNK = 100;

export interface StreamOptions {
  readonly feed: Feed;
  readonly clock: Clock;
  readonly since: number;
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
}

/** Ends when the signal fires, and when the reader has lost its place: it may then come back. */
export async function* eventStream(options: StreamOptions): AsyncGenerator<string> {
  const { feed, clock, since, filter, signal } = options;
  yield `retry: ${RETRY_MS}\n${bookmark(since)}`;
  let wordMs = clock.monotonicMs();
  for await (const { revision, events } of feed.read({ since, signal, idleMs: () => HEARTBEAT_MS })) {
    const wanted = events.filter((event) => passes(filter, event));
    if (wanted.length > 0) yield* chunks(wanted);
    else if (clock.monotonicMs() - wordMs >= HEARTBEAT_MS) yield `: nothing new\n${bookmark(revision)}`;
    else continue;
    wordMs = clock.monotonicMs();
  }
}

/**
 * The id stands on the last event of a revision only: a client that resumes has either had all of the
 * revision, or gets all of it again.
 */
function* chunks(events: readonly ClusterEvent[]): Generator<string> {
  for (let from = 0; from < events.length; from += EVENTS_A_CHUNK) {
    const texts = events.slice(from, from + EVENTS_A_CHUNK).map((event, index) => {
      const id = from + index === events.length - 1 ? `id: ${event.revision}\n` : '';
      return `${id}event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
    });
    yield texts.join('');
  }
}

/** Without data it is no event, but sets where the client resumes. */
function bookmark(revision: number): string {
  return `id: ${revision}\n\n`;
}

/** The same stream. `cutOff` is aborted when what was handed out has not been taken after `stallMs`. */
export async function* unlessStalled(
  source: AsyncIterable<string>,
  options: { readonly clock: Clock; readonly stallMs: number; readonly cutOff: AbortController },
): AsyncGenerator<string> {
  for await (const text of source) {
    const cancel = options.clock.after(options.stallMs, () => options.cutOff.abort());
    try {
      yield text;
    } finally {
      cancel();
    }
  }
}
