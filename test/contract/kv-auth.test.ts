// An etcd with auth enabled, and a user who may use Cobalt's keys and no others.

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { campaign } from '../../src/kv/election.ts';
import { createEtcdKv, type EtcdOptions } from '../../src/kv/etcd.ts';
import { LEADER_KEY, ROOT, volumeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { openSession } from '../../src/kv/session.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { changePassword, enableAuth, withTls } from '../support/secure-etcd.ts';
import { CALL_MS, clock, elapsedMs, put, random } from './kv-backends.ts';
import { follow, followUntilRefused } from './kv-follower.ts';

const TOKEN_TTL_SECONDS = 2;
const UNSUPPORTED = { code: 'unsupported', definite: true };
const USER = { user: 'cobalt', password: 'the right one' };
const ROOT_USER = ['--user', 'root:root'];

let etcd: TestEtcd;
const clients: Kv[] = [];

const connect = (options: Partial<EtcdOptions> = USER): Kv => {
  const kv = createEtcdKv({ endpoints: etcd.endpoints, ...options });
  clients.push(kv);
  return kv;
};

const asRoot = (...command: readonly string[]) => etcd.exec(['etcdctl', ...ROOT_USER, ...command]);

beforeAll(async () => {
  etcd = await startEtcd({ environment: { ETCD_AUTH_TOKEN_TTL: String(TOKEN_TTL_SECONDS) } });
}, 60_000);
afterAll(async () => {
  await etcd?.[Symbol.asyncDispose]();
}, 30_000);
afterEach(async () => {
  await Promise.all(clients.splice(0).map((kv) => kv.close()));
});

it('credentials do no harm before auth is enabled, and are used from then on', async () => {
  const kv = connect();
  await put(kv, volumeKey('a'), 'before');
  const anonymous = connect({});
  await anonymous.get(volumeKey('a'));
  await enableAuth(etcd, USER);
  expect((await kv.get(volumeKey('a'))).kv?.value).toBe('before');
  await put(kv, volumeKey('a'), 'after');
  await expect(anonymous.get(volumeKey('a'))).rejects.toMatchObject(UNSUPPORTED);
});

describe('with auth enabled', () => {
  it('the role of .env.template is enough for all that Cobalt does', async () => {
    const kv = connect();
    const session = await openSession({ kv, clock, ttlSeconds: 5 });
    const signal = new AbortController().signal;
    const candidate = { node: 'n1', instance: 'n1-1' };
    const leadership = await campaign({ kv, clock, random, session, candidate, signal });
    const key = volumeKey('fenced');
    const written = await kv.transact({
      compare: [leadership.fence(), { key, target: 'mod', equals: 0 }],
      writes: [{ kind: 'put', key, value: 'v', lease: session.leaseId }],
    });
    expect(written.succeeded).toBe(true);
    expect((await kv.list(ROOT)).kvs.map((each) => each.key)).toEqual(
      expect.arrayContaining([LEADER_KEY, key]),
    );
    for await (const { events } of kv.watch({ prefix: ROOT, fromRevision: written.revision, signal })) {
      if (events.length > 0) break;
    }
    expect(await kv.listLeases()).toContain(session.leaseId);
    await leadership.resign();
    await session.close();
    expect((await kv.get(key)).kv).toBeUndefined();
  });

  it.each<[string, Partial<EtcdOptions>]>([
    ['a wrong password', { ...USER, password: 'a wrong one' }],
    ['an unknown user', { ...USER, user: 'nobody' }],
    ['nobody', {}],
  ])('%s is refused at once, not taken for an outage', async (_, credentials) => {
    const kv = connect(credentials);
    const watching = kv.watch({ prefix: ROOT, fromRevision: 1, signal: new AbortController().signal });
    const refused = [
      kv.get(ROOT),
      kv.list(ROOT),
      put(kv, volumeKey('b'), 'v'),
      watching[Symbol.asyncIterator]().next(),
    ].map((call) => expect(call).rejects.toMatchObject(UNSUPPORTED));
    expect(await elapsedMs(Promise.all(refused))).toBeLessThan(CALL_MS);
    const failure = await kv.get(ROOT).catch((error: unknown) => error);
    expect(String((failure as Error).message)).not.toContain('wrong one');
    expect(failure).toMatchObject({ next: expect.stringContaining('password') });
  });

  it('a password that was changed is read anew', async () => {
    await asRoot('user', 'add', 'rotating:first');
    await asRoot('user', 'grant-role', 'rotating', 'cobalt');
    let written = 'first';
    const credentials = { user: 'rotating', password: 'first' };
    const kv = connect({ ...credentials, readPassword: async () => written });
    const old = connect(credentials);
    await kv.get(ROOT);
    await old.get(ROOT);
    await changePassword(etcd, { user: 'rotating', password: 'second' });
    await expect(kv.get(ROOT)).rejects.toMatchObject(UNSUPPORTED);
    written = 'second';
    await put(kv, volumeKey('rotated'), 'v');
    await expect(old.get(ROOT)).rejects.toMatchObject(UNSUPPORTED);
  });

  it('other keys than its own are out of bounds', async () => {
    const kv = connect();
    const watching = kv.watch({ prefix: '/other/', fromRevision: 1, signal: new AbortController().signal });
    await expect(kv.get('/other/a')).rejects.toMatchObject(UNSUPPORTED);
    await expect(kv.list('/cobalt/')).rejects.toMatchObject(UNSUPPORTED);
    await expect(put(kv, '/other/a', 'v')).rejects.toMatchObject(UNSUPPORTED);
    await expect(watching[Symbol.asyncIterator]().next()).rejects.toMatchObject(UNSUPPORTED);
  });

  it('tokens that have expired are renewed, and neither watch nor lease notices', async () => {
    const kv = connect();
    const idle = connect();
    const prefix = `${ROOT}volumes/expiry-`;
    await idle.get(prefix);
    const session = await openSession({ kv, clock, ttlSeconds: 2 });
    await put(kv, `${prefix}leased`, 'v', session.leaseId);
    const follower = follow(kv, prefix);
    // Nothing but renewals and the watch is under way: no token is used.
    await clock.sleep(TOKEN_TTL_SECONDS * 2000);
    await put(kv, `${prefix}a`, 'after');
    expect((await idle.get(`${prefix}a`)).kv?.value).toBe('after');
    const { value } = await idle
      .watch({ prefix, fromRevision: 1, signal: new AbortController().signal })
      [Symbol.asyncIterator]()
      .next();
    expect(value.revision).toBe(0);
    await follower.untilSeen('after', 5000);
    expect(session.isValid()).toBe(true);
    expect((await kv.get(`${prefix}leased`)).kv?.lease).toBe(session.leaseId);
    expect(follower.seen).toMatchObject({ snapshots: ['first'], losses: 0 });
    await follower.end();
    await session.close();
  }, 20_000);

  it('tokens of before a change of roles, or of before a restart, are renewed', async () => {
    const kv = connect();
    await kv.get(ROOT);
    await asRoot('role', 'add', 'another');
    await put(kv, volumeKey('c'), 'v');
    await etcd.kill();
    await etcd.start();
    await waitFor({ clock, what: 'a write', timeoutMs: 10_000, probe: () => put(kv, volumeKey('c'), 'w') });
    expect((await kv.get(volumeKey('c'))).kv?.value).toBe('w');
  }, 20_000);

  it('a password that is changed locks out, and ends a follower once it has to ask', async () => {
    const kv = connect();
    await kv.get(ROOT);
    await asRoot('user', 'add', 'other:pw');
    await asRoot('user', 'grant-role', 'other', 'cobalt');
    const other = connect({ user: 'other', password: 'pw' });
    await other.get(ROOT);
    await changePassword(etcd, { user: 'other', password: 'new' });
    await expect(other.get(ROOT)).rejects.toMatchObject(UNSUPPORTED);
    await expect(put(other, volumeKey('d'), 'v')).rejects.toMatchObject(UNSUPPORTED);
    await kv.get(ROOT);
    await expect(followUntilRefused(other, ROOT)).rejects.toMatchObject(UNSUPPORTED);
  });
});

it('a client certificate names the user where no password does', async () => {
  const certificates = await makeCertificates();
  const tls = { ca: certificates.ca, ...certificates.client };
  await using secure = await startEtcd(withTls(certificates));
  await enableAuth(secure, USER);
  const named = connect({ endpoints: secure.endpoints, tls });
  await put(named, volumeKey('a'), 'v');
  await expect(named.get('/other')).rejects.toMatchObject(UNSUPPORTED);
  const both = connect({ endpoints: secure.endpoints, tls, ...USER });
  expect((await both.get(volumeKey('a'))).kv?.value).toBe('v');
}, 40_000);
