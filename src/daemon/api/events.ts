// The call that tells of all changes as they happen.

import { z } from 'zod';
import { VERSION_KEY } from '../../kv/keys.ts';
import { EVENT_KINDS, type EventFilter, type EventKind } from '../../model/event.ts';
import { volumeIdSchema } from '../../model/names.ts';
import { CALL_TIMEOUT_MS } from './call.ts';
import { eventStream, STALL_MS, unlessStalled } from './events-stream.ts';
import { type ApiContext, type ApiResponse, invalid, problem, type Route, route } from './route.ts';
import { errorView } from './schemas.ts';

const REVISION = /^[0-9]{1,15}$/;

const isKind = (text: string): text is EventKind => (EVENT_KINDS as readonly string[]).includes(text);

const eventsQuery = z.strictObject({
  volume: volumeIdSchema.optional().meta({ description: 'Only events about this volume.' }),
  kinds: z
    .string()
    .max(200)
    .transform((text) => text.split(','))
    .refine((kinds) => kinds.every(isKind), `must be a list of ${EVENT_KINDS.join(', ')}`)
    .transform((kinds) => kinds.filter(isKind))
    .optional()
    .meta({ description: `Only events of these kinds, of ${EVENT_KINDS.join(', ')}; with commas between.` }),
  since: z
    .string()
    .regex(REVISION, 'must be a revision of etcd')
    .optional()
    .meta({ description: 'Resumes after this revision, as Last-Event-ID does, which wins. Default: now.' }),
});

const events = route({
  method: 'GET',
  path: '/events',
  id: 'followEvents',
  summary:
    'What happens, as server-sent events: each has the name of its kind and, as data, a ClusterEvent. Resumable by Last-Event-ID.',
  query: eventsQuery,
  resumable: true,
  answers: {
    200: {
      description:
        'A stream that does not end by itself. The id is the revision of etcd, on the last event of each revision and, in a quiet stream, alone. A reset, and a snapshot of everything, take the place of events that are gone. Who restores etcd from a backup has to begin anew: what its revisions count from there on is another history.',
      contentType: 'text/event-stream',
    },
    429: {
      description: 'There are too many streams at this node, or too many that catch up with the past.',
      schema: errorView,
      headers: { 'retry-after': 'Seconds to wait.' },
    },
  },
  handle: async (context, { query, lastEventId, signal }) => {
    const resumed = lastEventId === undefined || lastEventId === '' ? query.since : lastEventId;
    if (resumed !== undefined && !REVISION.test(resumed)) {
      return invalid([{ path: 'Last-Event-ID', message: 'must be a revision of etcd' }]);
    }
    const endMs = context.clock.monotonicMs() + CALL_TIMEOUT_MS;
    // A stream that begins now misses nothing that is committed after this.
    const { revision: now } = await context.kv.get(VERSION_KEY);
    const since = resumed === undefined ? now : Number(resumed);
    const seat = await joinInTime(context, { since, now, signal, endMs });
    if (seat === undefined) return tooMany('There are too many streams at this node; try another one.');
    if (seat.feed.isCrowded(since)) {
      seat.leave();
      return tooMany('Too many streams are catching up at this node; try another one, or wait.');
    }
    signal.addEventListener('abort', seat.leave, { once: true });
    if (signal.aborted) seat.leave();
    const filter: EventFilter = {
      kinds: query.kinds ?? null,
      volumes: query.volume === undefined ? null : [query.volume],
    };
    const { clock } = context;
    const cutOff = new AbortController();
    const source = eventStream({ feed: seat.feed, clock, since, filter, signal });
    return {
      status: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Asks nginx not to keep events back.
        'x-accel-buffering': 'no',
      },
      stream: unlessStalled(source, { clock, stallMs: STALL_MS, cutOff }),
      cutOff: cutOff.signal,
    };
  },
});

const tooMany = (message: string): ApiResponse => ({
  ...problem(429, 'too_many_streams', message),
  headers: { 'retry-after': '5' },
});

export const eventRoutes: readonly Route[] = [events];

/** The first stream waits for a list of everything; no longer than any other call. */
async function joinInTime(
  { events, clock }: ApiContext,
  options: {
    readonly since: number;
    readonly now: number;
    readonly signal: AbortSignal;
    readonly endMs: number;
  },
) {
  const late = new AbortController();
  const cancel = clock.after(options.endMs - clock.monotonicMs(), () => late.abort());
  try {
    return await events.join({ ...options, signal: AbortSignal.any([options.signal, late.signal]) });
  } finally {
    cancel();
  }
}
