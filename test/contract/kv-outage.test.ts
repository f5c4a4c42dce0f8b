import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import { followPrefix } from '../../src/kv/follow.ts';
import type { Kv, WatchEvent } from '../../src/kv/kv.ts';
import { freePort, startEtcd, type TestEtcd } from '../support/etcd.ts';
import { BACKENDS, type Backend, clock, collectBatches, freshPrefix, put, random } from './kv-backends.ts';

/** What the caller waits at most: the deadline of 1.5 s, and scheduling on a busy machine. */
const CALL_MS = 2000;

async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const startedMs = clock.monotonicMs();
  await work;
  return clock.monotonicMs() - startedMs;
}

const answersAgain = (kv: Kv, timeoutMs: number): Promise<unknown> =>
  waitFor({ clock, what: 'the client to recover', timeoutMs, intervalMs: 20, probe: () => kv.get('/') });

describe.each(BACKENDS)('an outage of $name', ({ open }) => {
  let backend: Backend;
  let kv: Kv;

  beforeAll(async () => {
    backend = await open();
    kv = backend.connect();
  }, 60_000);
  afterAll(async () => {
    await kv?.close();
    await backend?.[Symbol.asyncDispose]();
  }, 30_000);

  it('fails every call in time and breaks watches; data, leases and clients survive it', async () => {
    const prefix = freshPrefix();
    const lease = await kv.grantLease(5);
    const revision = await put(kv, `${prefix}a`, 'before', lease.id);
    const range = { prefix, fromRevision: revision + 1, untilRevision: Infinity };
    const watching = expect(collectBatches(kv, range)).rejects.toMatchObject({ code: 'unavailable' });
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
    const stop = new AbortController();
    const followed: WatchEvent[] = [];
    let losses = 0;
    let snapshots = 0;
    const { revision } = await kv.get(prefix);
    const following = followPrefix({
      kv,
      clock,
      random,
      prefix,
      signal: stop.signal,
      onSnapshot: () => {
        snapshots += 1;
      },
      onBatch: ({ events }) => {
        followed.push(...events);
      },
      onDisconnect: () => {
        losses += 1;
      },
    });
    await waitFor({
      clock,
      what: 'a snapshot',
      timeoutMs: 5000,
      probe: async () => (snapshots > 0 ? true : undefined),
    });
    await put(kv, `${prefix}a`, '1');
    await backend.stop();
    await waitFor({
      clock,
      what: 'the loss',
      timeoutMs: 5000,
      probe: async () => (losses > 0 ? true : undefined),
    });
    await backend.start();
    await answersAgain(kv, 2000);
    await put(kv, `${prefix}a`, '2');
    const last = await put(kv, `${prefix}end`, '');
    const batches = await collectBatches(kv, { prefix, fromRevision: revision + 1, untilRevision: last });
    await waitFor({
      clock,
      what: 'the follower to catch up',
      timeoutMs: 3000,
      probe: async () => (followed.length >= 3 ? true : undefined),
    });
    stop.abort();
    await following;
    expect(followed).toEqual(batches.flatMap(({ events }) => events));
    expect({ losses, snapshots }).toEqual({ losses: 1, snapshots: 1 });
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
    const revision = await put(kv, '/frozen', 'before');
    const range = { prefix: '/frozen', fromRevision: revision + 1, untilRevision: Infinity };
    const established = new Promise<void>((resolve) => {
      kv.keepLeaseAlive(id).then(() => resolve());
    });
    const watching = expect(collectBatches(kv, range)).rejects.toMatchObject({ code: 'unavailable' });
    await established;
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
    // Six seconds of silence, and 1.5 for an answer to the probe.
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
