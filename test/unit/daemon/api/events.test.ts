// The stream of events where time matters, and a client that doesn't read: in virtual time, or with
// limits that a test can reach.

import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { createLog } from '../../../../src/base/log.ts';
import { createSeededRandom, createSystemRandom } from '../../../../src/base/random.ts';
import { waitFor } from '../../../../src/base/retry.ts';
import { createApiContext } from '../../../../src/daemon/api/api.ts';
import { eventStream, HEARTBEAT_MS, unlessStalled } from '../../../../src/daemon/api/events-stream.ts';
import { type Route, route } from '../../../../src/daemon/api/route.ts';
import { ROUTES } from '../../../../src/daemon/api/routes.ts';
import { createServer } from '../../../../src/daemon/api/server.ts';
import { createFeed } from '../../../../src/daemon/events/feed.ts';
import { nodeKey, volumeKey } from '../../../../src/kv/keys.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import { openEvents } from '../../../support/event-stream.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { ID, nodeOf, readyVolume } from '../../model/volumes.ts';

const clock = createSystemClock();
const log = createLog({ write: () => {}, nowMs: () => 0 });

/** An API on a store in memory, with the given limits. */
async function serve(options: { readonly maxStreams?: number; readonly extra?: readonly Route[] }) {
  const store = createMemoryStore({ clock });
  const kv = store.connect();
  const random = createSystemRandom();
  const { maxStreams } = options;
  const events = maxStreams === undefined ? {} : { maxStreams };
  const context = createApiContext({ kv, clock, random, log, node: 'a', events });
  const server = createServer({ context, routes: [...ROUTES, ...(options.extra ?? [])] });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    kv,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      store.close();
    },
  };
}

describe('a stream', () => {
  it('carries a bookmark every 15 s in which there was nothing for it, however much there was for others', async () => {
    const manual = createManualClock();
    const store = createMemoryStore({ clock: manual });
    const kv = store.connect();
    const commit = async (n: number) =>
      kv.transact({
        compare: [],
        writes: [{ kind: 'put', key: nodeKey(`n${n}`), value: JSON.stringify(nodeOf(`n${n}`)) }],
      });
    const stop = new AbortController();
    const { signal } = stop;
    const feed = createFeed({ kv, clock: manual, random: createSeededRandom(1), log, signal });
    await manual.settle();
    const since = store.revision;
    const texts: string[] = [];
    const filter = { kinds: null, volumes: [ID] };
    const reading = (async () => {
      const stream = eventStream({ feed, clock: manual, since, filter, signal });
      for await (const text of stream) texts.push(text);
    })();
    for (let second = 1; second <= 40; second += 1) {
      await manual.advance(1000);
      await commit(second);
      await manual.settle();
    }
    const revisions = texts.map((text) => Number(/^id: (\d+)$/m.exec(text)?.[1]));
    expect(texts[0]).toBe(`retry: 1000\nid: ${since}\n\n`);
    expect(texts[1]).toMatch(/^: nothing new\nid: \d+\n\n$/);
    expect(revisions).toEqual([since, since + 15, since + 30]);
    await kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(readyVolume()) }],
    });
    await manual.settle();
    expect(texts.at(-1)).toContain('event: volume');
    await manual.advance(HEARTBEAT_MS);
    expect(texts.at(-1)).toBe(`: nothing new\nid: ${store.revision}\n\n`);
    stop.abort();
    await reading;
  });

  it('is cut off when what it was given is not taken', async () => {
    const manual = createManualClock();
    const cutOff = new AbortController();
    const source = (async function* () {
      for (let n = 0; ; n += 1) yield `${n}`;
    })();
    const stream = unlessStalled(source, { clock: manual, stallMs: 1000, cutOff });
    for (let n = 0; n < 3; n += 1) {
      await stream.next();
      await manual.advance(999);
    }
    expect(cutOff.signal.aborted).toBe(false);
    await manual.advance(1);
    expect(cutOff.signal.aborted).toBe(true);
    await stream.return(undefined);
    expect(manual.pendingTimers).toBe(0);
  });
});

describe('over HTTP', () => {
  it('a client that does not read loses its connection, and holds nothing any more', async () => {
    let ended = false;
    const flood = route({
      method: 'GET',
      path: '/flood',
      id: 'flood',
      summary: 'More than a connection takes.',
      answers: { 200: { description: 'A flood.', contentType: 'text/event-stream' } },
      handle: async ({ clock: time }) => {
        const cutOff = new AbortController();
        const source = (async function* () {
          try {
            for (;;) yield ' '.repeat(100_000);
          } finally {
            ended = true;
          }
        })();
        const stream = unlessStalled(source, { clock: time, stallMs: 200, cutOff });
        return { status: 200, stream, cutOff: cutOff.signal };
      },
    });
    await using api = await serve({ extra: [flood] });
    const { port } = new URL(api.url);
    const socket = connect(Number(port), '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.pause();
    socket.write('GET /flood HTTP/1.1\r\nhost: a\r\n\r\n');
    await waitFor({
      clock,
      what: 'the end of the stream',
      timeoutMs: 5000,
      probe: async () => (ended ? true : undefined),
    });
    // Only who reads sees the end of what was sent before.
    socket.resume();
    await closed;
  });

  it('takes so many streams and no more, until one is over', async () => {
    await using api = await serve({ maxStreams: 2 });
    await using first = await openEvents(api.url);
    const second = await openEvents(api.url);
    await using third = await openEvents(api.url);
    expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
    expect(third.headers.get('retry-after')).toBe('5');
    await second[Symbol.asyncDispose]();
    await waitFor({
      clock,
      what: 'a seat',
      timeoutMs: 5000,
      probe: async () => {
        await using client = await openEvents(api.url);
        return client.status === 200 ? true : undefined;
      },
    });
    expect(first.text).toContain('retry: ');
  });

  it('the end of the API waits for no connection that has sent nothing', async () => {
    const api = await serve({});
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await using client = await openEvents(api.url);
    await api[Symbol.asyncDispose]();
    await Promise.all([closed, client.ended]);
  });
});
