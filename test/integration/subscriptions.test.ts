// Callbacks by way of the API, the leading engine and real HTTP.

import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { nodeKey, SUBSCRIPTIONS_PREFIX, subscriptionKey, volumeKey } from '../../src/kv/keys.ts';
import type { CallbackBody } from '../../src/model/subscription.ts';
import { startApi } from '../support/api.ts';
import { clock, type TestCluster } from '../support/cluster.ts';
import { actualOf, nodeOf, readyVolume } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const ID = 'v0000000000000001';
const OTHER = 'v0000000000000002';
const UNKNOWN = 's0123456789abcdef';
const HEAD = { roles: ['api', 'engine'] } as const;
const URL_OK = 'https://consumer.test:8443/hook?key=1';

interface Received {
  readonly body: CallbackBody;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** Of the event in the history of the store: revision and index, without the digest. */
const placeOf = (id: string): string => id.replace(/\.[0-9a-f]{8}$/, '');

/** A consumer's server; `status`: what it answers, null for nothing at all. */
async function consume() {
  const received: Received[] = [];
  const consumer = { status: 200 as number | null };
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const text = Buffer.concat(chunks).toString();
    received.push({ body: JSON.parse(text), text, headers: request.headers });
    if (consumer.status !== null)
      response.writeHead(consumer.status, { location: '/elsewhere' }).end('answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    consumer,
    received,
    url: `http://127.0.0.1:${port}/hook`,
    ids: () => received.map(({ body }) => placeOf(body.id)),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let hosts = 0;
/** One export event; its id. */
async function exportVolume({ kv }: TestCluster, id = ID): Promise<string> {
  hosts += 1;
  const exports = [{ host: `10.0.1.${hosts % 256}`, access: 'rw' as const, squash: 'none' as const }];
  const value = JSON.stringify(readyVolume({ id, exports, actual: actualOf({ exports }) }));
  const { revision } = await kv.transact({
    compare: [],
    writes: [{ kind: 'put', key: volumeKey(id), value }],
  });
  return `${revision}.1`;
}

async function withNode({ kv }: TestCluster): Promise<void> {
  const value = JSON.stringify(nodeOf('a', { address: 'a.test' }));
  await kv.transact({ compare: [], writes: [{ kind: 'put', key: nodeKey('a'), value }] });
}

const eventually = (what: string, holds: () => boolean | Promise<boolean>, last: () => unknown) =>
  waitFor({
    clock,
    what,
    timeoutMs: 15_000,
    intervalMs: 10,
    probe: async () => ((await holds()) ? true : undefined),
    describe: () => JSON.stringify(last()),
  });

onEveryStore('subscriptions', ({ start }) => {
  it('are ordered with a secret that is shown once, listed, read and deleted', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    const made = await call('POST', '/subscriptions', { url: URL_OK, volumes: [ID, ID] });
    expect(made.status).toBe(201);
    const { id, secret, ...rest } = made.json;
    expect(made.headers.get('location')).toBe(`/subscriptions/${id}`);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(rest).toMatchObject({ url: URL_OK, volumes: [ID], delivered: 0, dropped: 0, last_error: null });
    const stored = (await cluster.kv.get(subscriptionKey(id))).kv;
    expect(JSON.parse(stored?.value ?? '')).toEqual(made.json);
    expect((await call('GET', `/subscriptions/${id}`)).json).toEqual({ id, ...rest });
    expect((await call('GET', '/subscriptions')).json).toEqual({
      subscriptions: [{ id, ...rest }],
      next: null,
    });
    expect((await call('DELETE', `/subscriptions/${id}`)).status).toBe(204);
    expect((await cluster.kv.get(subscriptionKey(id))).kv).toBeUndefined();
    for (const method of ['GET', 'DELETE']) {
      expect((await call(method, `/subscriptions/${id}`)).status).toBe(404);
    }
  });

  it('are refused with the field that is bad, and nothing is written', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const bad: readonly (readonly [object, string])[] = [
      [{}, 'url'],
      [{ url: 'ftp://consumer.test/' }, 'url'],
      [{ url: 'file:///etc/passwd' }, 'url'],
      [{ url: 'consumer.test' }, 'url'],
      [{ url: 'http://user:password@consumer.test/' }, 'url'],
      [{ url: 'http://consumer.test/#part' }, 'url'],
      [{ url: 'http://consumer.test/a b' }, 'url'],
      [{ url: 'http://consumer.test/\r\nx: y' }, 'url'],
      [{ url: `http://consumer.test/${'x'.repeat(1024)}` }, 'url'],
      [{ url: 'http://169.254.169.254/latest/meta-data' }, 'url'],
      [{ url: 'http://2852039166/latest/meta-data' }, 'url'],
      [{ url: 'http://0xa9.0xfe.0xa9.0xfe/' }, 'url'],
      [{ url: 'http://[::ffff:169.254.169.254]/' }, 'url'],
      [{ url: 'http://[fe80::1]/' }, 'url'],
      [{ url: 'http://[fd00:ec2::254]/' }, 'url'],
      [{ url: 'http://0.0.0.0/' }, 'url'],
      [{ url: URL_OK, volumes: [] }, 'volumes'],
      [{ url: URL_OK, volumes: ['../x'] }, 'volumes.0'],
      [{ url: URL_OK, secret: 'short' }, 'secret'],
      [{ url: URL_OK, secret: `with spaces ${'x'.repeat(16)}` }, 'secret'],
      [{ url: URL_OK, delivered: 7 }, 'delivered'],
    ];
    for (const [body, path] of bad) {
      const answer = await cluster.node('a').call('POST', '/subscriptions', body);
      expect([body, answer.status, answer.json.error?.fields?.[0]?.path]).toEqual([body, 400, path]);
    }
    expect((await cluster.kv.list(SUBSCRIPTIONS_PREFIX)).kvs).toEqual([]);
    expect((await cluster.node('a').call('GET', `/subscriptions/${UNKNOWN}`)).status).toBe(404);
    expect((await cluster.node('a').call('GET', '/subscriptions/..%2Fsecret')).status).toBe(400);
  });

  it('may lead to the own host only where the settings say so', async () => {
    await using api = await startApi();
    for (const url of ['http://127.0.0.1/', 'http://[::1]:80/', 'http://localhost:8080/']) {
      const refused = await api.call('POST', '/subscriptions', { url });
      expect([refused.status, refused.json.error.fields?.[0]?.path]).toEqual([400, 'url']);
    }
    expect((await api.kv.list(SUBSCRIPTIONS_PREFIX)).kvs).toEqual([]);
    await using lax = await startApi({ context: { loopbackCallbacks: true } });
    expect((await lax.call('POST', '/subscriptions', { url: 'http://127.0.0.1/' })).status).toBe(201);
  });

  it('are told of what was asked for, in order and signed', async () => {
    await using cluster = await start({ a: HEAD });
    await withNode(cluster);
    await using callback = await consume();
    const secret = 'a-secret-of-our-own';
    const order = { url: callback.url, volumes: [ID], secret };
    const { id } = (await cluster.node('a').call('POST', '/subscriptions', order)).json;
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      ids.push(await exportVolume(cluster));
      await exportVolume(cluster, OTHER);
    }
    await eventually('all callbacks', () => callback.received.length >= ids.length, callback.ids);
    expect(callback.ids()).toEqual(ids);
    for (const { body, text, headers } of callback.received) {
      const [, seconds, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['cobalt-signature'])) ?? [];
      expect(createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex')).toBe(signature);
      expect(body).toMatchObject({ subscription: id, event: { kind: 'export', volume: ID } });
    }
    const view = () => cluster.node('a').call('GET', `/subscriptions/${id}`);
    await eventually(
      'the cursor',
      async () => (await view()).json.delivered === Number(ids.at(-1)?.split('.')[0]),
      () => ids.at(-1),
    );
  });

  it('are told again until they answer, and given up when they do not; nobody else waits', async () => {
    await using cluster = await start({ a: { ...HEAD, callbackGiveUpMs: 1500 } });
    await withNode(cluster);
    await using bad = await consume();
    await using good = await consume();
    bad.consumer.status = 302;
    const { call } = cluster.node('a');
    const { id } = (await call('POST', '/subscriptions', { url: bad.url })).json;
    await call('POST', '/subscriptions', { url: good.url });
    const first = await exportVolume(cluster);
    const startedMs = clock.monotonicMs();
    await eventually('the good one', () => good.ids().includes(first), good.ids);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(1000);
    const view = async () => (await call('GET', `/subscriptions/${id}`)).json;
    await eventually('it to be given up', async () => (await view()).dropped === 1, bad.ids);
    expect(new Set(bad.ids())).toEqual(new Set([first]));
    expect(bad.received.length).toBeGreaterThan(1);
    expect((await view()).last_error.message).toBe('status 302');
    bad.consumer.status = 200;
    const second = await exportVolume(cluster);
    await eventually('the next one', () => bad.ids().at(-1) === second, bad.ids);
    await eventually('it to be well', async () => (await view()).failing_since === null, bad.ids);
    bad.consumer.status = 410;
    await exportVolume(cluster);
    await eventually(
      'its end',
      async () => (await call('GET', `/subscriptions/${id}`)).status === 404,
      bad.ids,
    );
  });

  it('lose nothing when leaders come and go', async () => {
    await using cluster = await start({ a: HEAD, b: HEAD });
    await withNode(cluster);
    await using callback = await consume();
    await cluster.node('a').call('POST', '/subscriptions', { url: callback.url });
    const ids: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const [leaving, staying] = turn % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
      for (let n = 0; n < 10; n += 1) ids.push(await exportVolume(cluster));
      // Half of the times as a crash: the lease has to run out first.
      if (turn < 2) await cluster.node(leaving).stop('engine');
      else await cluster.node(leaving).kill('engine');
      for (let n = 0; n < 10; n += 1) ids.push(await exportVolume(cluster));
      await cluster.node(leaving).start('engine');
      expect(cluster.node(staying).log.some(({ event }) => event === 'role.crashed')).toBe(false);
    }
    const last = await exportVolume(cluster);
    ids.push(last);
    await eventually('the last one', () => callback.ids().includes(last), callback.ids);
    expect([...new Set(callback.ids())]).toEqual(ids);
  });

  it('do not hold up the end of an engine', async () => {
    await using cluster = await start({ a: HEAD });
    await withNode(cluster);
    await using callback = await consume();
    callback.consumer.status = null;
    await cluster.node('a').call('POST', '/subscriptions', { url: callback.url });
    await exportVolume(cluster);
    await eventually('a call', () => callback.received.length > 0, callback.ids);
    const startedMs = clock.monotonicMs();
    await cluster.node('a').stop('engine');
    expect(clock.monotonicMs() - startedMs).toBeLessThan(900);
  });
});
