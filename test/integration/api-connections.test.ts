// The API and its connections: clients that never finish, bytes that are no
// request, and an orderly end.

import { connect, type Socket } from 'node:net';
import { expect, it, jest } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { type Route, route } from '../../src/daemon/api/route.ts';
import { statusView } from '../../src/daemon/api/schemas.ts';
import { VOLUMES_PREFIX } from '../../src/kv/keys.ts';
import { startApi } from '../support/api.ts';

jest.setTimeout(30_000);

const clock = createSystemClock();
const REQUEST_TIMEOUT_MS = 300;

interface Raw {
  readonly socket: Socket;
  /** What has come so far. */
  readonly received: () => string;
  /** What came until the other side closed the connection. */
  readonly closed: Promise<string>;
}

function open(port: number, text: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    const closed = new Promise<string>((done) => socket.once('close', () => done(received)));
    socket.once('error', reject);
    socket.once('connect', () => {
      // From here on an error is only another way to be closed.
      socket.on('error', () => {});
      socket.write(text);
      resolve({ socket, received: () => received, closed });
    });
  });
}

const arrived = (what: string, { received }: Raw, part: string): Promise<true> =>
  waitFor({
    clock,
    what,
    timeoutMs: 5000,
    intervalMs: 5,
    probe: async () => (received().includes(part) ? true : undefined),
    describe: received,
  });

const ORDER = '{"name":"data","requested":{"reserved_size":1}}';
const HEAD = `POST /volumes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${ORDER.length}\r\n`;

it.each([
  ['half a body', `${HEAD}\r\n${ORDER.slice(0, 20)}`, 408],
  ['half a head', HEAD, 408],
  ['a head that is too large', `${HEAD}x: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['what is not HTTP', 'hello?\r\n\r\n', 400],
  ['two lengths', `${HEAD}content-length: 1\r\n\r\n`, 400],
  ['a length and chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
])('answers %s and closes the connection', async (_what, text, status) => {
  await using api = await startApi({ server: { requestTimeoutMs: REQUEST_TIMEOUT_MS } });
  const answer = await (await open(api.port, text)).closed;
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    error: { code: expect.any(String) },
  });
  expect((await api.kv.list(VOLUMES_PREFIX)).kvs).toEqual([]);
});

it('keeps no connection of clients that never close their side', async () => {
  const context = { maxConnections: 60 };
  await using api = await startApi({ server: { requestTimeoutMs: REQUEST_TIMEOUT_MS, ...context } });
  const ends = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const socket = connect({ port: api.port, host: '127.0.0.1', allowHalfOpen: true });
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      // Of the other side's end nothing is to be seen here, but it answers to more bytes with a reset.
      const torn = new Promise<void>((resolve) => {
        socket.once('error', () => resolve());
        socket.once('close', () => resolve());
      });
      socket.write(index % 2 === 0 ? 'hello?\r\n\r\n' : HEAD);
      return { socket, received: () => received, torn };
    }),
  );
  for (const raw of ends) {
    await waitFor({
      clock,
      what: 'the last word, and the end of the connection',
      timeoutMs: 5000,
      intervalMs: 20,
      probe: async () => {
        if (!raw.received().includes('"error"')) return undefined;
        if (raw.socket.destroyed) return true;
        raw.socket.write('x');
        return undefined;
      },
      describe: raw.received,
    });
    await raw.torn;
  }
});

it('has no more connections than it may', async () => {
  await using api = await startApi({ server: { maxConnections: 3 } });
  const kept = await Promise.all([1, 2, 3].map(() => open(api.port, HEAD)));
  expect(await (await open(api.port, get('/healthz'))).closed).toBe('');
  for (const { socket } of kept) socket.destroy();
  await waitFor({
    clock,
    what: 'a place',
    timeoutMs: 5000,
    intervalMs: 20,
    probe: async () =>
      (
        await (
          await open(api.port, `GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
        ).closed
      ).includes('200') || undefined,
  });
});

it('does not wait for ever for a client that goes on sending little by little', async () => {
  await using api = await startApi({ server: { requestTimeoutMs: REQUEST_TIMEOUT_MS } });
  const raw = await open(api.port, HEAD);
  const startedMs = clock.monotonicMs();
  let over = false;
  void raw.closed.then(() => {
    over = true;
  });
  await waitFor({
    clock,
    what: 'the connection to be closed',
    timeoutMs: 5000,
    intervalMs: 50,
    probe: async () => {
      if (!over) raw.socket.write('x');
      return over ? true : undefined;
    },
  });
  expect(clock.monotonicMs() - startedMs).toBeLessThan(REQUEST_TIMEOUT_MS * 4);
});

it('serves others while hundreds of clients send nothing more', async () => {
  await using api = await startApi({ server: { requestTimeoutMs: 5000 } });
  const idle = await Promise.all(
    Array.from({ length: 300 }, () => open(api.port, `${HEAD}\r\n${ORDER.slice(0, 9)}`)),
  );
  const answer = await api.call('POST', '/volumes', ORDER);
  expect(answer.status).toBe(202);
  expect(answer.ms).toBeLessThan(1000);
  for (const { socket } of idle) socket.destroy();
});

/** A call that ends when it is told to, and one whose stream never ends by itself. */
function slowRoutes() {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const answers = { 200: { description: 'It has ended.', schema: statusView } };
  const slow = route({
    method: 'GET',
    path: '/slow',
    id: 'slow',
    summary: 'Slow.',
    local: true,
    answers,
    handle: async () => {
      begun.resolve();
      await release.promise;
      return { status: 200, json: { status: 'done' } };
    },
  });
  async function* lines(signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield 'data: first\n\n';
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    } finally {
      ended.resolve();
    }
  }
  const streaming = route({
    method: 'GET',
    path: '/stream',
    id: 'stream',
    summary: 'A stream.',
    local: true,
    answers: { 200: { description: 'Lines.', contentType: 'text/event-stream' } },
    handle: async (_context, { signal }) => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      stream: lines(signal),
    }),
  });
  const routes: readonly Route[] = [slow, streaming];
  return { routes, begun: begun.promise, release: release.resolve, ended: ended.promise };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

it('ends in order: calls under way are answered, idle connections and streams closed, new ones refused', async () => {
  const { routes, begun, release, ended } = slowRoutes();
  await using api = await startApi({ routes });
  const idle = await open(api.port, get('/nowhere'));
  await arrived('the first answer', idle, 'no_such_call');
  const stream = await open(api.port, get('/stream'));
  await arrived('the first line', stream, 'data: first');
  const busy = await open(api.port, get('/slow'));
  await begun;
  let stopped = false;
  const stopping = api.close().then(() => {
    stopped = true;
  });
  expect(await idle.closed).toContain('no_such_call');
  // The end of a chunked body: nothing was torn off.
  expect(await stream.closed).toMatch(/data: first\n\n\r\n0\r\n\r\n$/);
  await ended;
  await expect(open(api.port, get('/slow'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(stopped).toBe(false);
  release();
  const answer = await busy.closed;
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  expect(answer).toMatch(/connection: close/i);
  expect(answer).toContain('{"status":"done"}');
  await stopping;
});

it('tells a stream that its client has gone', async () => {
  const { routes, ended } = slowRoutes();
  await using api = await startApi({ routes });
  const stream = await open(api.port, get('/stream'));
  await arrived('the first line', stream, 'data: first');
  stream.socket.destroy();
  await ended;
});
