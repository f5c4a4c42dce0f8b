// The console's server on a real port: what it answers, to whom, and what it tells as it happens.

import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createHub, type Hub } from '../../../src/cli/console/hub.ts';
import { type ConsoleServer, startConsoleServer } from '../../../src/cli/console/server.ts';
import type { Item } from '../../../src/rig/console/items.ts';
import { createKeyHistory } from '../../../src/rig/console/key-history.ts';
import type { Order } from '../../../src/rig/console/order.ts';
import { serverSentEvents } from '../../../src/rig/sse.ts';

const history = createKeyHistory();
history.add([
  { revision: 2, kind: 'put', key: 'k', value: '1' },
  { revision: 3, kind: 'put', key: 'k', value: '2' },
]);
const cluster: Item = { is: 'cluster', kind: 'cluster', title: 't', folder: 'f', limits: null, gone: null };

let hub: Hub;
let server: ConsoleServer;
let given: Order[];
beforeEach(async () => {
  given = [];
  hub = createHub(createSystemClock());
  hub.set('cluster', { cluster });
  const give = (order: Order): void => void given.push(order);
  const source = {
    kind: 'cluster',
    title: '<b>t</b>',
    hub,
    history,
    forms: [],
    give,
    done: Promise.resolve(),
  } as const;
  server = await startConsoleServer({ source, port: 0, assets: { scripts: [], styles: '' } });
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** As it is, path and all: `fetch` would mend it. */
const call = (path: string, headers: Record<string, string>, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** What a browser has after it has opened the URL. */
async function opened() {
  const first = await call(new URL(server.url).pathname + new URL(server.url).search, {});
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  const page = await call('/', { cookie });
  const token = /name="console-token" content="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const acting = {
    ...{ cookie, origin: `http://127.0.0.1:${server.port}`, 'content-type': 'application/json' },
    'x-console-token': token,
  };
  return { first, page, cookie, token, acting };
}

describe('the server of the console', () => {
  it('opens to the URL that was printed, and keeps its key out of the address bar', async () => {
    const { first, page } = await opened();
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(String(first.headers['set-cookie'])).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(page.status).toBe(200);
    expect(page.text).toContain('&lt;b&gt;t&lt;/b&gt;');
    expect(page.text).not.toContain(new URL(server.url).searchParams.get('key'));
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
  });

  it('tells nobody anything who does not have the key', async () => {
    for (const path of ['/', '/?key=guess', '/console.js', '/api/keys', '/api/events']) {
      const { status, text } = await call(path, {});
      expect({ path, status }).toEqual({ path, status: 401 });
      expect(JSON.parse(text)).toMatchObject({ next: 'Open the URL that rig console has printed.' });
    }
    const { cookie } = await opened();
    expect(await call('/api/keys', { cookie, host: 'evil.example' })).toMatchObject({ status: 403 });
  });

  it('has no files: paths lead nowhere but to its own', async () => {
    const { cookie } = await opened();
    for (const path of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/console.js/../../package.json',
      '//etc/passwd',
      '/api/../package.json',
      '/console.js%00.txt',
    ]) {
      const { status, text } = await call(path, { cookie });
      expect([400, 404]).toContain(status);
      expect(text).not.toMatch(/root:|cobalt-rig"/);
    }
  });

  it('takes orders from its own page, and from nobody else', async () => {
    const { acting, token } = await opened();
    const order = JSON.stringify({ do: 'kill', to: ['leader'] });
    const tries: [Record<string, string>, number][] = [
      [{ ...acting, 'x-console-token': 'guess' }, 403],
      [{ ...acting, origin: 'http://evil.example' }, 403],
      [{ ...acting, host: `evil.example:${server.port}` }, 403],
      [{ ...acting, 'content-type': 'text/plain' }, 415],
      [{ ...acting, cookie: '' }, 401],
      [{ 'x-console-token': token }, 401],
    ];
    for (const [headers, status] of tries)
      expect(await call('/api/orders', headers, order)).toMatchObject({ status });
    expect(given).toEqual([]);
    expect(await call('/api/orders', acting, order)).toMatchObject({ status: 202 });
    expect(given).toEqual([{ do: 'kill', to: ['leader'] }]);
  });

  it('says what is wrong with an order', async () => {
    const { acting } = await opened();
    const wrong = await call('/api/orders', acting, '{"do":"fault","fault":"loss","fields":{"percent":"5"}}');
    expect(wrong.status).toBe(400);
    expect(JSON.parse(wrong.text).error).toMatch(/loss: 'on' is missing; give it as in: rig fault loss/);
    expect(await call('/api/orders', acting, '{"do":')).toMatchObject({ status: 400 });
    expect(await call('/api/orders', acting, `{"do":"${'x'.repeat(20_000)}"}`)).toMatchObject({
      status: 413,
    });
    expect(given).toEqual([]);
  });

  it('has the keys of any revision', async () => {
    const { cookie } = await opened();
    const read = async (path: string) => JSON.parse((await call(path, { cookie })).text);
    expect(await read('/api/keys?at=2')).toMatchObject({ at: 2, to: 3, keys: [{ key: 'k', value: '1' }] });
    expect(await read('/api/keys')).toMatchObject({
      at: 3,
      keys: [{ value: '2' }],
      changes: [{ did: 'changed' }],
    });
    expect((await read('/api/versions?key=k')).versions).toHaveLength(2);
    expect(await call('/api/keys?at=x', { cookie })).toMatchObject({ status: 400 });
  });

  it('tells of everything at first, and then of what changes alone', async () => {
    const { cookie } = await opened();
    const stop = new AbortController();
    const url = `http://127.0.0.1:${server.port}/api/events`;
    const { body } = await fetch(url, { headers: { cookie }, signal: stop.signal });
    const events = serverSentEvents(body as unknown as AsyncIterable<Uint8Array>);
    const next = async (type: string) => {
      for (;;) {
        const { value } = await events.next();
        if (value?.event === type) return JSON.parse(value.data ?? '');
      }
    };
    expect(await next('view')).toMatchObject({ isWhole: true, set: { cluster } });
    hub.set('leader', { leader: { is: 'leader', node: 'a', term: 1, since: '' } });
    expect(await next('view')).toMatchObject({ isWhole: false, set: { leader: { node: 'a' } }, gone: [] });
    hub.set('leader', {});
    expect(await next('view')).toMatchObject({ set: {}, gone: ['leader'] });
    hub.tell({ type: 'reset', revision: 9 });
    expect(await next('reset')).toEqual({ revision: 9 });
    stop.abort();
  });
});
