// The real network with certificates: who is believed, and who isn't.

import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { RigError } from '../../src/base/errors.ts';
import { createHttpNetwork } from '../../src/network/http.ts';
import type { Bytes, Listener } from '../../src/network/network.ts';
import type { NetworkTls } from '../../src/network/tls.ts';
import { makeCertificates, type TestCertificates } from '../support/certificates.ts';

const clock = createSystemClock();
const TIMEOUT_MS = 5000;
const MIB = 1024 ** 2;

describe('network: http with TLS', () => {
  let made: TestCertificates;
  let listener: Listener | undefined;

  beforeAll(async () => {
    made = await makeCertificates();
  }, 60_000);
  afterEach(async () => {
    await listener?.close();
    listener = undefined;
  });

  const tlsOf = (fields: Partial<NetworkTls> = {}): NetworkTls => ({
    ...{ ...made.client, ca: made.ca, requireClientCert: true },
    ...fields,
  });
  const serve = async (fields: Partial<NetworkTls> = {}): Promise<string> => {
    const server = createHttpNetwork({ clock, tls: tlsOf({ ...made.server, ...fields }) });
    listener = await server.listen({ host: '127.0.0.1', port: 0 }, async ({ body }) => {
      let bytes = 0;
      for await (const chunk of body) bytes += chunk.length;
      return { status: 200, headers: {}, body: `${bytes}` };
    });
    return `https://127.0.0.1:${listener.port}/`;
  };
  const call = (url: string, tls: NetworkTls | undefined, body?: Bytes) =>
    createHttpNetwork({ clock, ...(tls === undefined ? {} : { tls }) }).call({
      ...{ method: 'PUT', url, timeoutMs: TIMEOUT_MS },
      ...(body === undefined ? {} : { body }),
    });
  const failureOf = (answer: Promise<unknown>): Promise<unknown> =>
    answer.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('carries streams between those who believe each other', async () => {
    const url = await serve();
    async function* body(): Bytes {
      for (let sent = 0; sent < 16; sent += 1) yield new Uint8Array(MIB);
    }
    expect(await call(url, tlsOf(), body())).toMatchObject({ status: 200, body: `${16 * MIB}` });
  });

  it('asks for no certificate where none is required', async () => {
    const url = await serve({ requireClientCert: false });
    expect(await call(url, tlsOf({ ...made.foreign }))).toMatchObject({ status: 200 });
  });

  it.each(['foreign', 'expired'] as const)('lets nobody in with a certificate that is %s', async (which) => {
    const url = await serve();
    expect(await failureOf(call(url, tlsOf(made[which])))).toMatchObject({ code: 'unavailable' });
  });

  it('does not speak to a server that an unknown authority has signed, and says that nothing was sent', async () => {
    const url = await serve();
    const failure = await failureOf(call(url, tlsOf({ ca: made.foreignCa })));
    expect(failure).toMatchObject({ code: 'unavailable', definite: true });
    // Without any settings only the system's authorities count.
    expect(await failureOf(call(url, undefined))).toMatchObject({ code: 'unavailable', definite: true });
  });

  it('does not speak to a server by a name that its certificate does not have', async () => {
    const failure = await failureOf(call(await serve({ ...made.client }), tlsOf()));
    expect(failure).toMatchObject({ code: 'unavailable', definite: true });
  });

  it('does not take plain HTTP for it', async () => {
    const url = (await serve()).replace('https:', 'http:');
    expect(await failureOf(call(url, undefined))).toBeInstanceOf(RigError);
  });

  it('says nothing of keys in its errors', async () => {
    const url = await serve();
    const failure = await failureOf(call(url, tlsOf({ ca: made.foreignCa })));
    expect(JSON.stringify(failure)).not.toContain('PRIVATE KEY');
    expect(String(failure)).not.toContain('BEGIN');
  });
});
