// What every network does, whichever backend it is.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { RigError } from '../../src/base/errors.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createHttpNetwork } from '../../src/network/http.ts';
import { createMemoryWorld } from '../../src/network/memory.ts';
import type { Bytes, Handler, Listener, Network, NetworkRequest } from '../../src/network/network.ts';

const clock = createSystemClock();
const TIMEOUT_MS = 5000;
const MIB = 1024 ** 2;
const OK = { status: 200, headers: {}, body: '' };

interface Rig {
  readonly server: Network;
  readonly client: Network;
  /** Where it listens by default. */
  readonly host: string;
}

const backends: readonly { readonly name: string; readonly open: () => Rig }[] = [
  {
    name: 'memory',
    open: () => {
      const world = createMemoryWorld({ clock });
      return { server: world.connect('a'), client: world.connect('b'), host: 'a' };
    },
  },
  {
    name: 'http',
    open: () => {
      const network = createHttpNetwork({ clock });
      return { server: network, client: network, host: '127.0.0.1' };
    },
  },
];

const soon = (what: string, holds: () => boolean): Promise<true> =>
  waitFor({
    clock,
    what,
    timeoutMs: TIMEOUT_MS,
    intervalMs: 5,
    probe: async () => holds() || undefined,
  });

async function textOf(body: Bytes): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function failureOf(call: Promise<unknown>): Promise<RigError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof RigError) return thrown;
  throw new Error(`expected a RigError, got ${String(thrown)}`);
}

/** Never ends by itself. */
const never = <T>(): Promise<T> => new Promise<T>(() => {});

describe.each(backends)('network: $name', ({ open }) => {
  let rig: Rig;
  let listeners: Listener[];

  beforeEach(() => {
    rig = open();
    listeners = [];
  });
  afterEach(async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  });

  const serve = async (handler: Handler): Promise<string> => {
    const listener = await rig.server.listen({ host: rig.host, port: 0 }, handler);
    listeners.push(listener);
    return `http://${listener.host}:${listener.port}`;
  };
  const call = (url: string, request: Partial<NetworkRequest> = {}) =>
    rig.client.call({ method: 'GET', url, timeoutMs: TIMEOUT_MS, ...request });

  it('carries method, path, headers and text both ways', async () => {
    const url = await serve(async ({ method, path, headers, body }) => ({
      status: 418,
      headers: { 'x-answer': `${headers['x-question']}!`, 'content-type': 'text/plain' },
      body: `${method} ${path} ${await textOf(body)}`,
    }));
    const answer = await call(`${url}/a/b?c=d&e=%20`, {
      method: 'POST',
      headers: { 'X-Question': 'why' },
      body: 'grüße',
    });
    expect(answer).toMatchObject({ status: 418, body: 'POST /a/b?c=d&e=%20 grüße' });
    expect(answer.headers).toMatchObject({ 'x-answer': 'why!', 'content-type': 'text/plain' });
  });

  it('answers without a body', async () => {
    const url = await serve(async ({ body }) => ({ ...OK, status: 204, body: await textOf(body) }));
    expect(await call(url, { method: 'DELETE' })).toMatchObject({ status: 204, body: '' });
  });

  it('does not follow a redirection', async () => {
    let calls = 0;
    const url = await serve(async () => {
      calls += 1;
      return { status: 307, headers: { location: '/elsewhere' }, body: '' };
    });
    expect(await call(url)).toMatchObject({ status: 307, headers: { location: '/elsewhere' } });
    expect(calls).toBe(1);
  });

  it('tells nothing of what a handler throws', async () => {
    const url = await serve(async () => {
      throw new Error('a secret');
    });
    const answer = await call(url);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('streams without gathering, at the pace of its reader', async () => {
    let sent = 0;
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    async function* body(): Bytes {
      while (sent < 64) {
        sent += 1;
        yield new Uint8Array(MIB).fill(sent);
      }
    }
    const url = await serve(async (request) => {
      let bytes = 0;
      let sum = 0;
      for await (const chunk of request.body) {
        if (bytes === 0) {
          arrived.resolve();
          await gate.promise;
        }
        bytes += chunk.length;
        sum += chunk[0] ?? 0;
      }
      return { ...OK, body: `${bytes} ${sum > 0}` };
    });
    const answer = call(url, { method: 'PUT', body: body() });
    await arrived.promise;
    // The reader stands still: what is sent meanwhile is bounded by what lies in between.
    let last = -1;
    await soon('the sender to stand still', () => {
      const still = sent === last;
      last = sent;
      return still && sent < 64;
    });
    gate.resolve();
    expect((await answer).body).toBe(`${64 * MIB} true`);
  });

  it('ends the stream when it was answered early', async () => {
    let ended = false;
    async function* body(): Bytes {
      try {
        for (;;) {
          yield new Uint8Array(64 * 1024);
          await clock.sleep(1);
        }
      } finally {
        ended = true;
      }
    }
    const url = await serve(async (request) => {
      await request.body[Symbol.asyncIterator]().next();
      return { status: 409, headers: {}, body: 'not now' };
    });
    expect(await call(url, { method: 'PUT', body: body() })).toMatchObject({ status: 409, body: 'not now' });
    await soon('the end of the stream', () => ended);
  });

  it("passes on the failure of the caller's own stream, and ends the other side's", async () => {
    const arrived = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<unknown>();
    const url = await serve(async (request) => {
      try {
        for await (const _chunk of request.body) arrived.resolve();
      } catch (error) {
        seen.resolve(error);
      }
      return OK;
    });
    async function* body(): Bytes {
      yield new Uint8Array(10);
      await arrived.promise;
      throw new RigError('io', 'the disk is gone');
    }
    const failure = await failureOf(call(url, { method: 'PUT', body: body() }));
    expect(failure).toMatchObject({ code: 'io', message: 'the disk is gone' });
    expect(await seen.promise).toMatchObject({ code: 'unavailable' });
  });

  it('says for certain that nothing was sent where nobody listens', async () => {
    const url = await serve(async () => OK);
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
    expect(await failureOf(call(url))).toMatchObject({ code: 'unavailable', definite: true });
  });

  it('is not certain once the other side had the call', async () => {
    const arrived = Promise.withResolvers<void>();
    const url = await serve(async () => {
      arrived.resolve();
      return never();
    });
    const failure = failureOf(call(url));
    await arrived.promise;
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
    expect(await failure).toMatchObject({ code: 'unavailable', definite: false });
  });

  it('gives up when nothing moves', async () => {
    const url = await serve(() => never());
    const failure = await failureOf(call(url, { timeoutMs: 100 }));
    expect(failure).toMatchObject({ code: 'timeout', definite: false });
    expect(failure.message).not.toContain('?');
  });

  it('does not give up what goes on, however long it takes', async () => {
    async function* body(): Bytes {
      for (let sent = 0; sent < 12; sent += 1) {
        await clock.sleep(50);
        yield new Uint8Array(100);
      }
    }
    const url = await serve(async (request) => ({ ...OK, body: await textOf(request.body) }));
    expect((await call(url, { method: 'PUT', body: body(), timeoutMs: 300 })).body).toHaveLength(1200);
  });

  it('ends with the signal, and the other side learns of it', async () => {
    const controller = new AbortController();
    const gone = Promise.withResolvers<void>();
    const url = await serve(async ({ signal }) => {
      signal.addEventListener('abort', () => gone.resolve());
      controller.abort();
      return never();
    });
    expect(await failureOf(call(url, { signal: controller.signal }))).toMatchObject({ code: 'aborted' });
    await gone.promise;
    expect(await failureOf(call(url, { signal: controller.signal }))).toMatchObject({ code: 'aborted' });
  });

  it('ends a stream that is being read when its caller goes away', async () => {
    const controller = new AbortController();
    const seen = Promise.withResolvers<unknown>();
    const url = await serve(async ({ body }) => {
      try {
        for await (const _chunk of body) controller.abort();
      } catch (error) {
        seen.resolve(error);
      }
      return OK;
    });
    async function* body(): Bytes {
      yield new Uint8Array(1000);
      await never();
    }
    await failureOf(call(url, { method: 'PUT', body: body(), signal: controller.signal }));
    expect(await seen.promise).toMatchObject({ code: 'unavailable' });
  });

  it('tells the source of a stream that the call is over, also while it keeps silent', async () => {
    const controller = new AbortController();
    const told = Promise.withResolvers<void>();
    const url = await serve(async ({ body }) => {
      for await (const _chunk of body) controller.abort();
      return OK;
    });
    let chunks = 0;
    const body: Bytes = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          chunks += 1;
          return chunks === 1 ? { done: false, value: new Uint8Array(1000) } : never();
        },
        return: async () => {
          told.resolve();
          return { done: true, value: undefined };
        },
      }),
    };
    const failure = await failureOf(call(url, { method: 'PUT', body, signal: controller.signal }));
    expect(failure).toMatchObject({ code: 'aborted' });
    await told.promise;
  });

  it('refuses an answer that is larger than it may be', async () => {
    const url = await serve(async () => ({ ...OK, body: 'x'.repeat(MIB + 1) }));
    expect(await call(url)).toMatchObject({ status: 500, body: '' });
    const fitting = await serve(async () => ({ ...OK, body: 'x'.repeat(MIB) }));
    expect((await call(fitting)).body).toHaveLength(MIB);
  });

  it('carries several calls at a time', async () => {
    const waiting: (() => void)[] = [];
    const url = await serve(
      ({ path }) => new Promise((resolve) => waiting.push(() => resolve({ ...OK, body: path }))),
    );
    const answers = ['/1', '/2', '/3'].map((path) => call(`${url}${path}`));
    await soon('all to arrive', () => waiting.length === 3);
    for (const answer of waiting.toReversed()) answer();
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
  });

  it('lets calls under way end when it stops listening', async () => {
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const url = await serve(async () => {
      arrived.resolve();
      await finish.promise;
      return { ...OK, body: 'done' };
    });
    const answer = call(url);
    await arrived.promise;
    const until = new AbortController();
    const closed = Promise.all(listeners.splice(0).map((listener) => listener.close(until.signal)));
    expect((await failureOf(call(url))).code).toBe('unavailable');
    finish.resolve();
    expect((await answer).body).toBe('done');
    until.abort();
    await closed;
  });

  it('does not listen twice at one place', async () => {
    await serve(async () => OK);
    const [{ host, port } = { host: '', port: 0 }] = listeners;
    expect(await failureOf(rig.server.listen({ host, port }, async () => OK))).toMatchObject({
      code: 'unavailable',
    });
  });
});
