// A client of GET /events, as a browser is one: it reads, and knows where to resume.

import { waitFor } from '../../src/base/retry.ts';
import type { ClusterEvent } from '../../src/model/event.ts';
import { clock } from './cluster.ts';

export interface Received {
  /** Undefined on all but the last event of a revision. */
  readonly id: string | undefined;
  readonly event: ClusterEvent;
}

export interface EventClient extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  readonly received: readonly Received[];
  /** The stream as it came. */
  readonly text: string;
  /** As an EventSource would send it when it comes back. */
  readonly lastEventId: string | undefined;
  /** Resolves when the stream has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Waits until enough was received. */
  until(what: string, holds: (received: readonly Received[]) => boolean): Promise<void>;
}

/** `url`: of the API, with the query if any. */
export async function openEvents(
  url: string,
  options: { readonly query?: string; readonly lastEventId?: string | undefined } = {},
): Promise<EventClient> {
  const hangUp = new AbortController();
  const response = await fetch(`${url}/events${options.query ?? ''}`, {
    headers: options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId },
    signal: hangUp.signal,
  });
  const received: Received[] = [];
  let text = '';
  let rest = '';
  let lastEventId = options.lastEventId;
  const take = (block: string): void => {
    const field = (name: string): string | undefined =>
      block
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const [id, data] = [field('id'), field('data')];
    if (data !== undefined) received.push({ id, event: JSON.parse(data) as ClusterEvent });
    lastEventId = id ?? lastEventId;
  };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const more = decoder.decode(chunk, { stream: true });
      text += more;
      const blocks = (rest + more).split('\n\n');
      rest = blocks.pop() ?? '';
      blocks.forEach(take);
    }
  };
  const ended = read().catch(() => undefined);
  return {
    status: response.status,
    headers: response.headers,
    received,
    get text() {
      return text;
    },
    get lastEventId() {
      return lastEventId;
    },
    ended,
    until: async (what, holds) => {
      await waitFor({
        clock,
        what,
        timeoutMs: 10_000,
        intervalMs: 5,
        probe: async () => (holds(received) ? true : undefined),
        describe: () => text.slice(-1000),
      });
    },
    [Symbol.asyncDispose]: async () => {
      hangUp.abort();
      await ended;
    },
  };
}
