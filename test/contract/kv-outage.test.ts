import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { freePort, startEtcd, type TestEtcd } from '../support/etcd.ts';
import {
  BACKENDS,
  type Backend,
  CALL_MS,
  clock,
  collectBatches,
  elapsedMs,
  establishWatch,
  freshPrefix,
  put,
  shareBackend,
} from './kv-backends.ts';
import { follow } from './kv-follower.ts';

const answersAgain = (kv: Kv, timeoutMs: number): Promise<unknown> =>
  waitFor({ clock, what: 'the client to recover', timeoutMs, intervalMs: 20, probe: () => kv.get('/') });

describe.each(BACKENDS)('an outage of $name', ({ open }) => {
  let backend: Backend;
  let kv: Kv;

  shareBackend(open, (opened) => {
    ({ backend, kv } = opened);
  });

  it('fails every call in time and breaks watches; data, leases and clients survive it', async () => {
    const prefix = freshPrefix();
    const lease = await kv.grantLease(5);
    const revision = await put(kv, `${prefix}a`, 'before', lease.id);
    const watch = await establishWatch(kv, prefix);
    const watching = expect(watch.ended).rejects.toMatchObject({ code: 'unavailable' });
    await kv.keepLeaseAlive(lease.id);

    await backend.stop();
    expect(await elapsedMs(watching)).toBeLessThan(CALL_MS);
    const calls = [
      () => kv.get(prefix),
      () => kv.list(prefix),
      () => put(kv, `${prefix}b`, 'lost'),
      () => kv.grantLease(5),
      () => kv.keepLeaseAlive(lease.id),
      () => kv.revokeLease(lease.id),
      () => kv.listLeases(),
    ];
    const failing = calls.map((call) => expect(call()).rejects.toMatchObject({ code: 'unavailable' }));
    expect(await elapsedMs(Promise.all(failing))).toBeLessThan(CALL_MS);

    await backend.start();
    expect(await elapsedMs(answersAgain(kv, 2000))).toBeLessThan(2000);
    expect(await kv.keepLeaseAlive(lease.id)).toBe(5);
    expect((await kv.list(prefix)).kvs).toMatchObject([{ key: `${prefix}a`, modRevision: revision }]);
  }, 30_000);

  it('costs a follower neither an event nor a repetition', async () => {
    const prefix = freshPrefix();
    const follower = follow(kv, prefix);
    await follower.following();
    await put(kv, `${prefix}a`, '1');
    await backend.stop();
    await follower.untilLost();
    await backend.start();
    await answersAgain(kv, 2000);
    await put(kv, `${prefix}a`, '2');
    const last = await put(kv, `${prefix}end`, 'end');
    const range = { prefix, fromRevision: follower.seen.first + 1, untilRevision: last };
    const batches = await collectBatches(kv, range);
    await follower.untilSeen('end', 3000);
    await follower.end();
    expect(follower.seen.events).toEqual(batches.flatMap(({ events }) => events));
    expect(follower.seen).toMatchObject({ losses: 1, snapshots: ['first'] });
  }, 30_000);
});

describe('a client of etcd', () => {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  }, 60_000);
  afterAll(async () => {
    await etcd?.[Symbol.asyncDispose]();
  }, 30_000);

  it('skips an endpoint where nobody listens', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    // Waiting for the dead one would take half of it.
    const requestTimeoutMs = 20_000;
    const kv = createEtcdKv({ endpoints: [dead, ...etcd.endpoints], requestTimeoutMs });
    expect(await elapsedMs(put(kv, '/skip', 'v'))).toBeLessThan(requestTimeoutMs / 4);
    expect(await elapsedMs(kv.get('/skip'))).toBeLessThan(requestTimeoutMs / 4);
    await kv.close();
  }, 30_000);

  it('gives up in time on a frozen etcd, breaks its watches, and recovers at once', async () => {
    const kv = createEtcdKv({ endpoints: etcd.endpoints });
    const { id } = await kv.grantLease(30);
    const watch = await establishWatch(kv, '/frozen');
    const watching = expect(watch.ended).rejects.toMatchObject({ code: 'unavailable' });
    await kv.keepLeaseAlive(id);
    await etcd.pause();
    const reading = expect(kv.get('/frozen')).rejects.toMatchObject({ code: 'timeout', definite: true });
    const writing = expect(put(kv, '/frozen', 'x')).rejects.toMatchObject({
      code: 'timeout',
      definite: false,
    });
    const renewing = expect(kv.keepLeaseAlive(id)).rejects.toMatchObject({
      code: 'unavailable',
      definite: false,
    });
    expect(await elapsedMs(Promise.all([reading, writing, renewing]))).toBeLessThan(CALL_MS);
    // Six seconds of silence, 1.5 for an answer to the probe, and as much for a busy machine.
    expect(await elapsedMs(watching)).toBeLessThan(9000);
    await etcd.unpause();
    expect(await elapsedMs(answersAgain(kv, 2000))).toBeLessThan(2000);
    expect(await kv.keepLeaseAlive(id)).toBe(30);
    await kv.close();
  }, 30_000);

  it('holds up no process once it is closed', async () => {
    const program = `
      import { createEtcdKv } from ${JSON.stringify(new URL('../../src/kv/etcd.ts', import.meta.url).href)};
      const kv = createEtcdKv({ endpoints: ${JSON.stringify(etcd.endpoints)} });
      const lease = await kv.grantLease(30);
      await kv.keepLeaseAlive(lease.id);
      const signal = new AbortController().signal;
      for await (const _ of kv.watch({ prefix: '/', fromRevision: 1, signal })) break;
      const watching = kv.watch({ prefix: '/', fromRevision: 1, signal })[Symbol.asyncIterator]();
      await watching.next();
      const ended = watching.next().then(async () => watching.next()).catch((error) => error.code);
      const closedAt = performance.now();
      await kv.close();
      process.on('exit', () => console.log(Math.round(performance.now() - closedAt)));
      await ended;
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--input-type=module', '--eval', program],
      { timeout: 20_000 },
    );
    expect(Number(stdout.trim())).toBeLessThan(1000);
  }, 30_000);
});
