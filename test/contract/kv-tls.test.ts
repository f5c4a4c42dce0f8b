// An etcd that speaks TLS and asks for client certificates: who gets in, and
// what those are told who do not.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv, type EtcdOptions } from '../../src/kv/etcd.ts';
import { openSession } from '../../src/kv/session.ts';
import { makeCertificates, type TestCertificates } from '../support/certificates.ts';
import { answers, startEtcd, type TestEtcd } from '../support/etcd.ts';
import { withTls } from '../support/secure-etcd.ts';
import { CALL_MS, clock, freshPrefix, put } from './kv-backends.ts';
import { follow, followUntilRefused } from './kv-follower.ts';

const UNSUPPORTED = { code: 'unsupported', definite: true };

let certificates: TestCertificates;
let secure: TestEtcd;
let plain: TestEtcd;

beforeAll(async () => {
  certificates = await makeCertificates();
  [secure, plain] = await Promise.all([startEtcd(withTls(certificates)), startEtcd()]);
}, 60_000);
afterAll(async () => {
  await secure?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
}, 30_000);

const good = () => ({ ca: certificates.ca, ...certificates.client });

/** What a client with these options is told, and how soon. */
async function refusal(
  options: EtcdOptions,
): Promise<{ readonly error: unknown; readonly elapsedMs: number }> {
  const kv = createEtcdKv(options);
  const startedMs = clock.monotonicMs();
  try {
    const error = await kv.get('/').then(
      () => 'it was let in',
      (thrown: unknown) => thrown,
    );
    return { error, elapsedMs: clock.monotonicMs() - startedMs };
  } finally {
    await kv.close();
  }
}

describe('TLS', () => {
  it('lets in whoever has the right certificate, and survives a restart of etcd', async () => {
    const prefix = freshPrefix();
    const kv = createEtcdKv({ endpoints: secure.endpoints, tls: good() });
    const session = await openSession({ kv, clock, ttlSeconds: 5 });
    const follower = follow(kv, prefix);
    await put(kv, `${prefix}a`, 'before', session.leaseId);
    await secure.kill();
    // An etcd that is away is away, not hostile.
    await expect(kv.get(prefix)).rejects.toMatchObject({ code: 'unavailable' });
    await secure.start();
    await answers(secure.endpoints, { credentials: { tls: good() } });
    await waitFor({ clock, what: 'a write', timeoutMs: 5000, probe: () => put(kv, `${prefix}a`, 'after') });
    await follower.untilSeen('after', 5000);
    expect(session.isValid()).toBe(true);
    await follower.end();
    await session.close();
    await kv.close();
  }, 30_000);

  it.each<[string, () => EtcdOptions['tls']]>([
    ['no client certificate', () => ({ ca: certificates.ca })],
    ['an expired one', () => ({ ca: certificates.ca, ...certificates.expired })],
    ["another authority's", () => ({ ca: certificates.ca, ...certificates.foreign })],
    ['no trust in the server', () => certificates.client],
    ['trust in somebody else', () => ({ ca: certificates.foreignCa, ...certificates.client })],
  ])('refuses at once, for good and with a reason: %s', async (_, tls) => {
    const { error, elapsedMs } = await refusal({ endpoints: secure.endpoints, tls: tls() });
    expect(error).toMatchObject({
      ...UNSUPPORTED,
      message: expect.stringMatching(/TLS failed with [A-Z_0-9/]+$/),
    });
    expect(elapsedMs).toBeLessThan(CALL_MS);
  });

  it('tells TLS and its absence apart from an outage, both ways', async () => {
    const withoutTls = secure.endpoints.map((endpoint) => endpoint.replace('https:', 'http:'));
    const unencrypted = await refusal({ endpoints: withoutTls });
    expect(unencrypted.error).toMatchObject({ ...UNSUPPORTED, next: expect.stringContaining('https') });
    const overTls = plain.endpoints.map((endpoint) => endpoint.replace('http:', 'https:'));
    const encrypted = await refusal({ endpoints: overTls, tls: good() });
    expect(encrypted.error).toMatchObject(UNSUPPORTED);
    expect(Math.max(unencrypted.elapsedMs, encrypted.elapsedMs)).toBeLessThan(CALL_MS);
  });

  it('ends a follower, who would otherwise try for ever', async () => {
    const kv = createEtcdKv({ endpoints: secure.endpoints, tls: { ca: certificates.ca } });
    await expect(followUntilRefused(kv, '/')).rejects.toMatchObject(UNSUPPORTED);
    await kv.close();
  });

  it('does not start with what can be seen to be wrong', () => {
    const { client, ca } = certificates;
    const { cert, key } = client;
    const endpoints = ['https://127.0.0.1:1'];
    const attempt = (options: Partial<EtcdOptions>) => () => createEtcdKv({ endpoints, ...options });
    const invalid = (message: RegExp) =>
      expect.objectContaining({ code: 'invalid', message: expect.stringMatching(message) });
    expect(attempt({ tls: { ca, cert } })).toThrow(invalid(/only one is given/));
    expect(attempt({ tls: { ca: 'not a certificate', cert, key } })).toThrow(invalid(/cannot be used/));
    expect(attempt({ tls: { ca, cert, key: certificates.expired.key } })).toThrow(invalid(/cannot be used/));
    expect(attempt({ user: 'cobalt' })).toThrow(invalid(/only one is given/));
    expect(attempt({ endpoints: ['127.0.0.1:1'], tls: { ca } })).toThrow(invalid(/not https/));
    expect(attempt({ endpoints: ['https://a:1', 'http://b:1'] })).toThrow(invalid(/some/));
  });
});
