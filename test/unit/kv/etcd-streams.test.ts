// What goes over the wire to etcd, as seen by a server that only takes notes.

import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createEtcdKv } from '../../../src/kv/etcd.ts';
import type { Kv } from '../../../src/kv/kv.ts';

const UNAVAILABLE = '14';
/** A RangeResponse whose header is at revision 5, as a gRPC frame. */
const EMPTY_RANGE = Buffer.from([0, 0, 0, 0, 4, 0x0a, 2, 0x18, 5]);

const server = createServer();
let headersOf: Map<string, IncomingHttpHeaders>;
let kv: Kv;

beforeEach(async () => {
  headersOf = new Map();
  server.removeAllListeners('stream');
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const path = String(headers[':path']);
    headersOf.set(path, headers);
    const common = { ':status': 200, 'content-type': 'application/grpc+proto' };
    if (!path.endsWith('/Range')) {
      // As etcd's stream interceptor ends the streams of a member without a leader.
      stream.respond(
        { ...common, 'grpc-status': UNAVAILABLE, 'grpc-message': 'etcdserver: no leader' },
        { endStream: true },
      );
      return;
    }
    stream.respond(common, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY_RANGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  kv = createEtcdKv({ endpoints: [`127.0.0.1:${(server.address() as AddressInfo).port}`] });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await kv.close();
  await new Promise((resolve) => server.close(resolve));
});

const watchOnce = () =>
  kv
    .watch({ prefix: '/', fromRevision: 6, signal: new AbortController().signal })
    [Symbol.asyncIterator]()
    .next();

it('is told by a member that was cut off from its quorum, and does not watch in silence', async () => {
  await expect(watchOnce()).rejects.toMatchObject({ code: 'unavailable' });
  expect(headersOf.get('/etcdserverpb.Watch/Watch')?.hasleader).toBe('true');
});

it('asks the same of the stream of lease renewals', async () => {
  await expect(kv.keepLeaseAlive('1')).rejects.toMatchObject({ code: 'unavailable' });
  expect(headersOf.get('/etcdserverpb.Lease/LeaseKeepAlive')?.hasleader).toBe('true');
});

it('fails no call when the wall clock is stepped while it connects', async () => {
  let stepMs = 0;
  const now = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + stepMs);
  const reading = kv.get('/');
  // The call has reckoned its end, and has not sent anything yet.
  stepMs = 3_600_000;
  expect((await reading).revision).toBe(5);
});
