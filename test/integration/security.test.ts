// Who may call the API: tokens, certificates, and how often. What is refused must
// leave no trace in the store, and no secret in the log.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';
import { tokenCheck } from '../../src/daemon/credentials.ts';
import { VOLUMES_PREFIX } from '../../src/kv/keys.ts';
import { startApi, type TestApi, type TestApiOptions } from '../support/api.ts';
import { makeCertificates, type TestCertificates } from '../support/certificates.ts';

jest.setTimeout(30_000);

const TOKEN = 'correct-horse-battery-staple';
const ORDER = { name: 'data', requested: { reserved_size: 1 } };
const clock = createSystemClock();

describe('a token', () => {
  const WITH_TOKEN: TestApiOptions = {
    server: { isToken: tokenCheck(TOKEN) },
    context: { protection: { token: true, certificate: false } },
  };
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi(WITH_TOKEN);
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
  });

  it.each<[string, Record<string, string>, wrong: boolean]>([
    ['none', {}, false],
    ['an empty one', { authorization: 'Bearer ' }, false],
    ['another one', { authorization: 'Bearer correct-horse-battery-stable' }, true],
    ['a part of it', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, true],
    ['more than it', { authorization: `Bearer ${TOKEN}x` }, true],
    ['it twice', { authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` }, true],
    [
      'it in another scheme',
      { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` },
      false,
    ],
    ['it without a scheme', { authorization: TOKEN }, false],
    ['it in another header', { 'x-token': TOKEN }, false],
  ])('is asked for: %s is refused by every call', async (_what, headers, wrong) => {
    for (const route of ROUTES.filter(({ open }) => open !== true)) {
      const path = route.path.replace(/:\w+/, 'v0123456789abcdef');
      const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : ORDER;
      const answer = await api.call(route.method, path, body, headers);
      expect({ path, status: answer.status, code: answer.json.error?.code }).toEqual({
        path,
        status: 401,
        code: 'unauthorized',
      });
      // RFC 6750, section 3.1.
      const challenge = wrong ? 'Bearer error="invalid_token"' : 'Bearer';
      expect(answer.headers.get('www-authenticate')).toBe(challenge);
      expect(answer.json.error.message).toContain(wrong ? "isn't the API's" : 'wants a token');
      expect(JSON.stringify(answer.json)).not.toContain(TOKEN);
    }
    expect(await api.call('GET', '/nowhere', undefined, headers)).toMatchObject({ status: 401 });
    expect((await api.kv.list(VOLUMES_PREFIX)).kvs).toEqual([]);
  });

  it('is not looked for in the query', async () => {
    expect(await api.call('GET', `/volumes?access_token=${TOKEN}`)).toMatchObject({ status: 401 });
  });

  it('opens every call, whatever the case of the scheme; probes need none', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${TOKEN}` };
      expect(await api.call('POST', '/volumes', ORDER, headers)).toMatchObject({ status: 202 });
      expect(await api.call('GET', '/nowhere', undefined, headers)).toMatchObject({ status: 404 });
    }
    expect((await api.kv.list(VOLUMES_PREFIX)).kvs).toHaveLength(3);
    for (const path of ['/healthz', '/readyz']) {
      expect(await api.call('GET', path)).toMatchObject({ status: 200 });
    }
    expect(JSON.stringify(api.log)).not.toContain(TOKEN);
  });

  it('is part of the description', async () => {
    const { json } = await api.call('GET', '/openapi.json', undefined, { authorization: `Bearer ${TOKEN}` });
    expect(json.paths['/volumes'].post.security).toEqual([{ token: [] }]);
    expect(json.paths['/healthz'].get.security).toEqual([{}]);
    expect(json.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' });
  });
});

describe('TLS', () => {
  let made: TestCertificates;
  beforeAll(async () => {
    made = await makeCertificates();
  }, 60_000);

  const serve = (clientCerts: 'none' | 'required', server: 'server' | 'expired' = 'server') =>
    startApi({ server: { tls: { ...made[server], ca: made.ca }, clientCerts } });

  /** The status, or the code of the error. */
  const ask = (port: number, options: RequestOptions): Promise<number | string | undefined> =>
    new Promise((resolve) => {
      const request = httpsRequest(
        { host: '127.0.0.1', port, path: '/healthz', agent: false, ca: made.ca, ...options },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      request.end();
    });

  it('needs no client certificate unless it is told to', async () => {
    await using api = await serve('none');
    expect(await ask(api.port, {})).toBe(200);
  });

  it('lets clients tell it from others', async () => {
    await using api = await serve('none');
    expect(await ask(api.port, { ca: made.foreignCa })).toMatch(/CERT|SIGNATURE|ISSUER/);
    expect(await ask(api.port, { ca: [] })).toMatch(/CERT|SIGNATURE|ISSUER/);
    await using expired = await serve('none', 'expired');
    expect(await ask(expired.port, { checkServerIdentity: () => undefined })).toBe('CERT_HAS_EXPIRED');
  });

  it('takes the certificates of its own authority, and no other, when it asks for them', async () => {
    await using api = await serve('required');
    expect(await ask(api.port, made.client)).toBe(200);
    for (const [what, options] of Object.entries({
      missing: {},
      expired: made.expired,
      foreign: made.foreign,
    })) {
      const seen = await ask(api.port, options);
      expect({ what, refused: typeof seen === 'string' }).toEqual({ what, refused: true });
    }
  });

  it.each([
    ['nothing', []],
    ['half a hello', [0x16, 3, 1, 2, 0, 1, 0]],
  ])('ends although a client is in its handshake and has sent %s', async (_what, bytes) => {
    await using api = await serve('none');
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    if (bytes.length > 0) socket.write(Buffer.from(bytes));
    // It comes after the other one, which is then known.
    expect(await ask(api.port, {})).toBe(200);
    const startedMs = clock.monotonicMs();
    await api.close();
    await closed;
    expect(clock.monotonicMs() - startedMs).toBeLessThan(1500);
  });

  it('talks neither plain HTTP nor old TLS', async () => {
    await using api = await serve('none');
    expect(
      await ask(api.port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).toBe('EPROTO');
    const plain = await fetch(`http://127.0.0.1:${api.port}/healthz`).then(
      ({ status }) => status,
      () => 'refused',
    );
    expect(plain).not.toBe(200);
  });
});

describe('a rate', () => {
  const RATE = 20;
  const serve = (isToken?: (shown: string) => boolean) =>
    startApi({
      server: { ratePerSecond: RATE, ...(isToken === undefined ? {} : { isToken }) },
      context: { protection: { token: isToken !== undefined, certificate: false } },
    });

  /** From another address of this machine. */
  const askFrom = (localAddress: string, port: number): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path: '/nodes', localAddress, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });

  it('that is exceeded is answered with 429 and when to try again, and changes nothing', async () => {
    await using api = await serve();
    const answers = await Promise.all(
      Array.from({ length: 5 * RATE }, () => api.call('POST', '/volumes', ORDER)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    const taken = answers.filter(({ status }) => status === 202);
    expect(taken.length + refused.length).toBe(5 * RATE);
    expect(taken.length).toBeGreaterThanOrEqual(RATE);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.json.error.code).toBe('too_many_calls');
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect((await api.kv.list(VOLUMES_PREFIX)).kvs).toHaveLength(taken.length);
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200 });
    await waitFor({
      clock,
      what: 'the API to take calls again',
      timeoutMs: 5000,
      probe: async () => ((await api.call('GET', '/nodes')).status === 200 ? true : undefined),
    });
  });

  it("is each client's own", async () => {
    await using api = await serve();
    await Promise.all(Array.from({ length: 3 * RATE }, () => api.call('GET', '/nodes')));
    const others = await Promise.all([2, 3, 4].map((n) => askFrom(`127.0.0.${n}`, api.port)));
    expect(others).toEqual([200, 200, 200]);
  });

  it('holds for those who guess the token, and for calls that are none', async () => {
    await using api = await serve(tokenCheck(TOKEN));
    const headers = { authorization: 'Bearer guess' };
    for (const path of ['/nodes', '/nowhere']) {
      const answers = await Promise.all(
        Array.from({ length: 3 * RATE }, () => api.call('GET', path, undefined, headers)),
      );
      const seen = new Set(answers.map(({ status }) => status));
      expect({ path, limited: seen.has(429), only: seen.size <= 2 }).toEqual({
        path,
        limited: true,
        only: true,
      });
    }
  });
});
