// What a store remembers beyond the present: what an event replaced, pages of a
// list, and lists as of an earlier revision.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Kv, ListOptions, WatchEvent } from '../../src/kv/kv.ts';
import {
  BACKENDS,
  type Backend,
  collectBatches,
  freshPrefix,
  put,
  remove,
  shareBackend,
} from './kv-backends.ts';

describe.each(BACKENDS)('the past on $name', ({ open }) => {
  let backend: Backend;
  let kv: Kv;
  let prefix: string;

  shareBackend(open, (opened) => {
    ({ backend, kv } = opened);
  });
  beforeEach(() => {
    prefix = freshPrefix();
  });

  const eventsOf = async (range: {
    readonly fromRevision: number;
    readonly untilRevision: number;
    readonly previous?: boolean;
  }): Promise<readonly WatchEvent[]> =>
    (await collectBatches(kv, { prefix, ...range })).flatMap(({ events }) => events);

  it('tells with each event what it replaced, to those who ask', async () => {
    const key = `${prefix}a`;
    const lease = await kv.grantLease(60);
    const first = await put(kv, key, 'one', lease.id);
    const second = await put(kv, key, 'two');
    const third = await remove(kv, key);
    const last = await put(kv, key, 'four');
    const one = { key, value: 'one', createRevision: first, modRevision: first, version: 1, lease: lease.id };
    const two = { key, value: 'two', createRevision: first, modRevision: second, version: 2, lease: '0' };
    const four = { key, value: 'four', createRevision: last, modRevision: last, version: 1, lease: '0' };
    const range = { fromRevision: first, untilRevision: last };
    expect(await eventsOf({ ...range, previous: true })).toEqual([
      { kind: 'put', kv: one },
      { kind: 'put', kv: two, previous: one },
      { kind: 'delete', key, modRevision: third, previous: two },
      { kind: 'put', kv: four },
    ]);
    expect(await eventsOf(range)).toEqual([
      { kind: 'put', kv: one },
      { kind: 'put', kv: two },
      { kind: 'delete', key, modRevision: third },
      { kind: 'put', kv: four },
    ]);
  });

  it('tells it of keys that go with their lease, and of all writes of one revision', async () => {
    const lease = await kv.grantLease(60);
    const before = await put(kv, `${prefix}a`, 'old');
    const { revision } = await kv.transact({
      compare: [],
      writes: [
        { kind: 'put', key: `${prefix}a`, value: 'new', lease: lease.id },
        { kind: 'put', key: `${prefix}b`, value: 'new', lease: lease.id },
      ],
    });
    await kv.revokeLease(lease.id);
    const range = { fromRevision: revision, untilRevision: revision + 1, previous: true };
    expect(await eventsOf(range)).toMatchObject([
      { kind: 'put', kv: { key: `${prefix}a` }, previous: { value: 'old', modRevision: before } },
      { kind: 'put', kv: { key: `${prefix}b` } },
      { kind: 'delete', key: `${prefix}a`, previous: { value: 'new', modRevision: revision } },
      { kind: 'delete', key: `${prefix}b`, previous: { value: 'new', modRevision: revision } },
    ]);
  });

  it('still tells it when what was replaced is exactly what a compaction left', async () => {
    await put(kv, `${prefix}a`, 'zero');
    const kept = await put(kv, `${prefix}a`, 'one');
    await backend.compact(kept);
    const events: WatchEvent[] = [];
    const watch = { prefix, fromRevision: kept + 1, previous: true, signal: AbortSignal.timeout(10_000) };
    for await (const batch of kv.watch(watch)) {
      events.push(...batch.events);
      if (events.length === 0) await put(kv, `${prefix}a`, 'two');
      else break;
    }
    expect(events).toMatchObject([{ kv: { value: 'two' }, previous: { value: 'one', modRevision: kept } }]);
  });

  it('delivers to a watch that lags behind a compaction all the same', async () => {
    const start = (await kv.get(prefix)).revision;
    const stop = new AbortController();
    const watch = kv.watch({ prefix, fromRevision: start + 1, previous: true, signal: stop.signal });
    const batches = watch[Symbol.asyncIterator]();
    await batches.next();
    await put(kv, `${prefix}a`, 'one');
    await put(kv, `${prefix}a`, 'two');
    const last = await put(kv, `${prefix}a`, 'three');
    await backend.compact(last);
    const values: string[] = [];
    while (values.length < 3) {
      const { value } = await batches.next();
      for (const event of value.events as WatchEvent[]) {
        if (event.kind === 'put') values.push(event.kv.value);
        // Whether it is still told depends on who was faster; if it is, it is the right one.
        if (event.previous !== undefined) expect(event.previous.value).toBe(values.at(-2));
      }
    }
    expect(values).toEqual(['one', 'two', 'three']);
    stop.abort();
    await expect(batches.next()).rejects.toMatchObject({ code: 'aborted' });
  });

  const keysOf = async (options: ListOptions) => {
    const { kvs, more } = await kv.list(prefix, options);
    return { keys: kvs.map(({ key }) => key.slice(prefix.length)), more };
  };

  it('lists page by page', async () => {
    for (const key of ['a', 'b', 'b/1', 'c']) await put(kv, `${prefix}${key}`, 'v');
    expect(await keysOf({})).toEqual({ keys: ['a', 'b', 'b/1', 'c'], more: false });
    expect(await keysOf({ limit: 2 })).toEqual({ keys: ['a', 'b'], more: true });
    expect(await keysOf({ limit: 2, after: `${prefix}b` })).toEqual({ keys: ['b/1', 'c'], more: false });
    expect(await keysOf({ limit: 4 })).toEqual({ keys: ['a', 'b', 'b/1', 'c'], more: false });
    expect(await keysOf({ after: `${prefix}bb` })).toEqual({ keys: ['c'], more: false });
    expect(await keysOf({ after: prefix, limit: 1 })).toEqual({ keys: ['a'], more: true });
    expect(await keysOf({ after: '/', limit: 1 })).toEqual({ keys: ['a'], more: true });
    expect(await keysOf({ after: `${prefix}c` })).toEqual({ keys: [], more: false });
    expect(await keysOf({ after: `${prefix.slice(0, -1)}~` })).toEqual({ keys: [], more: false });
  });

  it('lists as of an earlier revision, until that is compacted', async () => {
    await put(kv, `${prefix}a`, 'old');
    const revision = await put(kv, `${prefix}b`, 'v');
    await put(kv, `${prefix}a`, 'new');
    await remove(kv, `${prefix}b`);
    const last = await put(kv, `${prefix}c`, 'v');
    const then = await kv.list(prefix, { revision });
    expect(then.kvs.map(({ key, value }) => [key.slice(prefix.length), value])).toEqual([
      ['a', 'old'],
      ['b', 'v'],
    ]);
    expect(then).toMatchObject({ revision: last, more: false });
    expect(await keysOf({ revision, limit: 1 })).toEqual({ keys: ['a'], more: true });
    expect(await keysOf({ revision: last })).toEqual({ keys: ['a', 'c'], more: false });
    await expect(keysOf({ revision: last + 1 })).rejects.toMatchObject({ code: 'invalid' });
    await backend.compact(last);
    await expect(keysOf({ revision: last - 1 })).rejects.toMatchObject({ code: 'compacted' });
    expect(await keysOf({ revision: last })).toEqual({ keys: ['a', 'c'], more: false });
  });
});
