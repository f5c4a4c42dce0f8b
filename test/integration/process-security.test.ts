// The daemon's processes with all protection switched on: a token, TLS and client
// certificates for the API and between agents, TLS and a user for etcd.

import type { RequestOptions } from 'node:https';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { SECRET_KEY } from '../../src/kv/keys.ts';
import type { TestCertificates } from '../support/certificates.ts';
import { clock } from '../support/cluster.ts';
import {
  openSecureDaemons,
  type SecureAnswer,
  type SecureDaemons,
  type SecureNode,
  TOKEN,
} from '../support/secure-daemons.ts';
import { changePassword } from '../support/secure-etcd.ts';

jest.setTimeout(60_000);

const USER = { user: 'nodes', password: 'the-right-password' };
const WRONG_PASSWORD = 'not-the-right-one';
const NEXT_PASSWORD = 'the-password-after-that';
const ORDER = { name: 'data', requested: { reserved_size: 1 } };

let all: SecureDaemons;
let a: SecureNode;
let b: SecureNode;

beforeAll(async () => {
  all = await openSecureDaemons(USER);
  [a, b] = await Promise.all([all.start('secure-a'), all.start('secure-b')]);
  for (const { daemon } of [a, b]) await daemon.logged('agent.registered');
  // The API is a process of its own, which may be slower than the agent.
  for (const node of [a, b]) {
    await until(
      'the API to have etcd',
      () => node.call('/readyz'),
      ({ status }) => status === 200,
    );
  }
}, 60_000);
afterAll(async () => {
  await all?.[Symbol.asyncDispose]();
}, 30_000);

async function until(
  what: string,
  call: () => Promise<SecureAnswer>,
  holds: (answer: SecureAnswer) => boolean,
): Promise<SecureAnswer> {
  let last: SecureAnswer | undefined;
  return waitFor({
    ...{ clock, what, timeoutMs: 20_000, intervalMs: 50 },
    probe: async () => {
      last = await call();
      return holds(last) ? last : undefined;
    },
    describe: () => JSON.stringify(last),
  });
}

it('a volume is made and moved, over TLS from end to end', async () => {
  expect(await a.apiUrl()).toMatch(/^https:/);
  const order = () => a.call('/volumes', { method: 'POST', body: ORDER });
  const ordered = await until('a volume to be ordered', order, ({ status }) => status === 202);
  const { id } = ordered.json;
  const ready = await until(
    'the volume to be ready',
    () => a.call(`/volumes/${id}`),
    ({ json }) => json.state === 'ready',
  );
  const [from, to] = ready.json.node === a.name ? [a, b] : [b, a];
  const move = await a.call(`/volumes/${id}/move`, { method: 'POST', body: { node: to.name } });
  expect(move.status).toBe(202);
  await until(
    'the volume at the other node',
    () => b.call(`/volumes/${id}`),
    ({ json }) => json.state === 'ready' && json.node === to.name,
  );
  await from.daemon.logged('move.source-trashed', ({ volume }) => volume === id);
});

it.each<[string, Record<string, string>]>([
  ['without a token', {}],
  ['with another token', { authorization: `Bearer ${TOKEN.replace('staple', 'stable')}` }],
])('the API refuses a call %s, certificate or not', async (_what, headers) => {
  const before = (await a.call('/volumes')).json;
  const refusal = { status: 401, json: { error: { code: 'unauthorized' } } };
  expect(await a.call('/volumes', { headers })).toMatchObject(refusal);
  expect(await a.call('/volumes', { headers, method: 'POST', body: ORDER })).toMatchObject(refusal);
  expect((await a.call('/volumes')).json).toEqual(before);
  expect(await a.call('/readyz', { headers })).toMatchObject({ status: 200 });
});

it.each<[string, (made: TestCertificates) => RequestOptions, RegExp]>([
  ['shows no certificate', ({ ca }) => ({ ca }), /CERTIFICATE_REQUIRED/],
  ['shows an expired one', ({ ca, expired }) => ({ ca, ...expired }), /ECONNRESET|CERTIFICATE/],
  ["shows another authority's", ({ ca, foreign }) => ({ ca, ...foreign }), /ECONNRESET|UNKNOWN_CA/],
  [
    'trusts another authority',
    ({ foreignCa, client }) => ({ ca: foreignCa, ...client }),
    /SELF_SIGNED_CERT_IN_CHAIN/,
  ],
])('neither API nor agent talks to whoever %s', async (_what, tls, code) => {
  for (const url of [await a.apiUrl(), a.agentUrl]) {
    const answer = all.ask(`${url}/healthz`, { tls: tls(all.certificates) });
    await expect(answer).rejects.toMatchObject({ code: expect.stringMatching(code) });
  }
});

it('an agent takes no call of a client, whose certificate and token are good', async () => {
  expect(await all.ask(`${a.agentUrl}/volumes/v0123456789abcdef`)).toBe(401);
});

it('neither talks plain HTTP', async () => {
  for (const url of [await a.apiUrl(), a.agentUrl]) {
    const answer = fetch(`${url.replace('https:', 'http:')}/healthz`).then(({ status }) => status);
    await expect(answer).rejects.toThrow('fetch failed');
  }
});

it('a daemon whose password etcd refuses from the start says so, says what to do, and gives up', async () => {
  const file = await all.write('wrong-password', WRONG_PASSWORD);
  const { daemon } = await all.start('secure-c', { COBALT_ETCD_PASSWORD_FILE: file });
  expect(await daemon.exited).toBe(78);
  expect(daemon.log.find(({ event }) => event === 'role.refused')).toMatchObject({
    level: 'error',
    cause: expect.stringMatching(/etcd.*authentication failed/),
    next: expect.stringContaining('password'),
  });
});

it('a password that is changed under a daemon is an outage, until the file holds the new one', async () => {
  const since = a.daemon.log.length;
  await changePassword(all.etcd, { ...USER, password: NEXT_PASSWORD });
  const ready = () => a.call('/readyz');
  await until('the API to have no etcd', ready, ({ status }) => status === 503);
  expect(await a.call('/volumes')).toMatchObject({ status: 503 });
  await all.write('etcd-password', NEXT_PASSWORD);
  await until('the API to have etcd again', ready, ({ status }) => status === 200);
  const order = () => a.call('/volumes', { method: 'POST', body: ORDER });
  const { json } = await until('a volume to be ordered', order, ({ status }) => status === 202);
  const look = () => a.call(`/volumes/${json.id}`);
  await until('the volume to be ready', look, ({ json }) => json.state === 'ready');
  expect(a.daemon.log.slice(since).filter(({ event }) => event === 'role.exited')).toEqual([]);
});

it('no secret was ever said', async () => {
  const asRoot = ['etcdctl', '--user', 'root:root', 'get', '--print-value-only', SECRET_KEY];
  const clusterSecret = (await all.etcd.exec(asRoot)).trim();
  expect(clusterSecret).toMatch(/^[0-9a-f]{64}$/);
  const keys = [all.certificates.server.key, all.certificates.client.key];
  const keyTexts = keys.flatMap((pem) => pem.split('\n').filter((line) => line.length > 20));
  expect(keyTexts.length).toBeGreaterThan(2);
  const said = all.said();
  expect(said).toContain('secure-c');
  for (const secret of [TOKEN, USER.password, WRONG_PASSWORD, NEXT_PASSWORD, clusterSecret, ...keyTexts]) {
    expect(said).not.toContain(secret);
  }
});
