// Who may read from the console, and who may act through it.

import { describe, expect, it } from '@jest/globals';
import { cookieName, type Knock, refusalOf, TOKEN_HEADER } from '../../../../src/rig/console/protection.ts';

const port = 4711;
const secrets = { key: 'the-key', cookie: 'the-cookie', token: 'the-token' };
const cookie = `other=1; ${cookieName(port)}=the-cookie`;
const refused = (knock: Knock) => refusalOf(knock, { port, secrets, isSame: (a, b) => a === b })?.status;

const reading = (headers: Record<string, string> = {}, rest: Partial<Knock> = {}): Knock => ({
  ...{ method: 'GET', path: '/api/events', key: undefined },
  headers: { host: `127.0.0.1:${port}`, cookie, 'sec-fetch-site': 'same-origin', ...headers },
  ...rest,
});
const acting = (headers: Record<string, string> = {}): Knock =>
  reading(
    {
      ...{
        origin: `http://127.0.0.1:${port}`,
        'content-type': 'application/json',
        [TOKEN_HEADER]: 'the-token',
      },
      ...headers,
    },
    { method: 'POST', path: '/api/orders' },
  );
const without = (knock: Knock, name: string): Knock => {
  const { [name]: _, ...headers } = knock.headers;
  return { ...knock, headers };
};

describe('the guard of the console', () => {
  it('lets its own page read and act', () => {
    expect(refused(reading())).toBeUndefined();
    expect(refused(acting())).toBeUndefined();
    const local = { host: `localhost:${port}`, origin: `http://localhost:${port}` };
    expect(refused(acting(local))).toBeUndefined();
  });

  it('opens to the key alone, and only its page', () => {
    const opening = without(reading({ 'sec-fetch-site': 'none' }, { path: '/', key: 'the-key' }), 'cookie');
    expect(refused(opening)).toBeUndefined();
    expect(refused({ ...opening, key: 'a-guess' })).toBe(401);
    expect(refused({ ...opening, path: '/api/keys' })).not.toBeUndefined();
    expect(refused(without(reading(), 'cookie'))).toBe(401);
    expect(refused(reading({ cookie: `${cookieName(port + 1)}=the-cookie` }))).toBe(401);
  });

  it('refuses a name that was made to lead here (DNS rebinding)', () => {
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, '']) {
      expect(refused(reading({ host }))).toBe(403);
      expect(refused(acting({ host, origin: `http://${host}` }))).toBe(403);
    }
  });

  it('refuses what other pages send', () => {
    expect(refused(acting({ origin: 'http://evil.example' }))).toBe(403);
    expect(refused(acting({ origin: 'null' }))).toBe(403);
    expect(refused(acting({ origin: `http://127.0.0.1:${port + 1}` }))).toBe(403);
    expect(refused(acting({ 'sec-fetch-site': 'cross-site' }))).toBe(403);
    expect(refused(reading({ 'sec-fetch-site': 'same-site' }))).toBe(403);
    expect(refused(without(acting(), 'origin'))).toBe(403);
  });

  it('refuses an act without the token, and one that is not JSON', () => {
    expect(refused(without(acting(), TOKEN_HEADER))).toBe(403);
    expect(refused(acting({ [TOKEN_HEADER]: 'the-cookie' }))).toBe(403);
    expect(refused(acting({ 'content-type': 'text/plain' }))).toBe(415);
    expect(refused(acting({ 'content-type': 'application/x-www-form-urlencoded' }))).toBe(415);
    expect(refused(without(acting(), 'content-type'))).toBe(415);
    expect(refused({ ...acting(), method: 'PUT' })).toBe(405);
  });
});
