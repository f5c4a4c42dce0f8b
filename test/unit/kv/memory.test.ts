import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createWorld, put } from './support.ts';

describe('the store in memory', () => {
  it('starts at revision 1, as etcd does', async () => {
    const { kv } = createWorld();
    expect(await kv.get('a')).toEqual({ kv: undefined, clusterId: '1', revision: 1 });
    expect(await put(kv, 'a')).toBe(2);
  });

  it('expires a lease on the millisecond, deleting all its keys in one revision', async () => {
    const { kv, clock } = createWorld();
    const { id } = await kv.grantLease(3);
    await put(kv, 'b', 'v', id);
    const last = await put(kv, 'a', 'v', id);
    await clock.advance(2999);
    expect((await kv.list('')).kvs).toHaveLength(2);
    await clock.advance(1);
    expect(await kv.list('')).toMatchObject({ kvs: [], revision: last + 1 });
    await expect(kv.keepLeaseAlive(id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await kv.listLeases()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts a renewed lease from its renewal', async () => {
    const { kv, clock } = createWorld();
    const { id } = await kv.grantLease(3);
    await clock.advance(2000);
    expect(await kv.keepLeaseAlive(id)).toBe(3);
    await clock.advance(2999);
    expect(await kv.listLeases()).toEqual([id]);
    await clock.advance(1);
    expect(await kv.listLeases()).toEqual([]);
  });

  it('notices an expiry up to half a second late when it has randomness, yet refuses to renew', async () => {
    const clock = createManualClock();
    const kv = createMemoryStore({ clock, random: createSeededRandom(7) }).connect();
    const { id } = await kv.grantLease(2);
    await clock.advance(2000);
    expect(await kv.listLeases()).toEqual([id]);
    await expect(kv.keepLeaseAlive(id)).rejects.toMatchObject({ code: 'not_found' });
    await clock.advance(500);
    expect(await kv.listLeases()).toEqual([]);
  });

  it('lets no lease run out while it is switched off, and starts them over afterwards', async () => {
    const { kv, clock, store } = createWorld();
    const { id } = await kv.grantLease(2);
    await clock.advance(1500);
    store.setAvailable(false);
    await clock.advance(60_000);
    store.setAvailable(true);
    await clock.advance(2999);
    expect(await kv.listLeases()).toEqual([id]);
    await clock.advance(1);
    expect(await kv.listLeases()).toEqual([]);
  });

  it('breaks a watch even by an outage too short for it to see', async () => {
    const { kv, clock, store } = createWorld();
    const watch = kv.watch({ prefix: '', fromRevision: 1, signal: new AbortController().signal });
    const batches = watch[Symbol.asyncIterator]();
    await batches.next();
    const next = expect(batches.next()).rejects.toMatchObject({ code: 'unavailable' });
    await clock.settle();
    store.setAvailable(false);
    store.setAvailable(true);
    await next;
  });

  it('delivers to a watch that had caught up what a compaction overtook, without what it replaced', async () => {
    const { kv, store } = createWorld();
    const [first, second] = [await put(kv, 'a', '1'), await put(kv, 'a', '2')];
    const options = { prefix: '', previous: true, signal: new AbortController().signal };
    const caughtUp = kv.watch({ ...options, fromRevision: second + 1 })[Symbol.asyncIterator]();
    const behind = kv.watch({ ...options, fromRevision: first })[Symbol.asyncIterator]();
    await caughtUp.next();
    await behind.next();
    await put(kv, 'a', '3');
    const last = await put(kv, 'a', '4');
    store.compact(last);
    const { value } = await caughtUp.next();
    expect(value.events).toEqual([
      { kind: 'put', kv: expect.objectContaining({ value: '3' }) },
      { kind: 'put', kv: expect.objectContaining({ value: '4' }) },
    ]);
    await put(kv, 'a', '5');
    expect((await caughtUp.next()).value.events).toMatchObject([{ previous: { value: '4' } }]);
    await expect(behind.next()).rejects.toMatchObject({ code: 'compacted' });
  });
});
