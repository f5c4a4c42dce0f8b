import { beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { type Kv, revisionOf } from '../../src/kv/kv.ts';
import {
  BACKENDS,
  type Backend,
  clock,
  collectBatches,
  freshPrefix,
  keyOf,
  put,
  remove,
  shareBackend,
} from './kv-backends.ts';

describe.each(BACKENDS)('kv contract on $name', ({ open }) => {
  let backend: Backend;
  let kv: Kv;
  let prefix: string;

  shareBackend(open, (opened) => {
    ({ backend, kv } = opened);
  });
  beforeEach(() => {
    prefix = freshPrefix();
  });

  it('keeps the metadata of a key through its lives', async () => {
    const key = `${prefix}a`;
    const created = await put(kv, key, 'one');
    const changed = await put(kv, key, 'two');
    expect((await kv.get(key)).kv).toEqual({
      key,
      value: 'two',
      createRevision: created,
      modRevision: changed,
      version: 2,
      lease: '0',
    });
    await remove(kv, key);
    expect((await kv.get(key)).kv).toBeUndefined();
    const reborn = await put(kv, key, 'three');
    expect((await kv.get(key)).kv).toMatchObject({ createRevision: reborn, modRevision: reborn, version: 1 });
  });

  it('lists a prefix in key order, and nothing beside it', async () => {
    const inside = ['', '-', '/x', '0', 'a', 'aa', 'b', 'é'].map((end) => `${prefix}p${end}`);
    await Promise.all([...inside, `${prefix}o`, `${prefix}q`].map((key) => put(kv, key, 'v')));
    const { kvs } = await kv.list(`${prefix}p`);
    expect(kvs.map(({ key }) => key)).toEqual(inside);
  });

  it('applies all writes of a transaction in one revision, or none', async () => {
    const before = (await kv.get(prefix)).revision;
    const done = await kv.transact({
      compare: [{ key: `${prefix}a`, target: 'version', equals: 0 }],
      writes: [
        { kind: 'put', key: `${prefix}a`, value: '1' },
        { kind: 'put', key: `${prefix}b`, value: '1' },
      ],
    });
    expect(done).toMatchObject({ succeeded: true, revision: before + 1 });
    const refused = await kv.transact({
      compare: [
        { key: `${prefix}a`, target: 'mod', equals: done.revision },
        { key: `${prefix}b`, target: 'create', equals: 0 },
      ],
      writes: [{ kind: 'delete', key: `${prefix}a` }],
    });
    expect(refused).toMatchObject({ succeeded: false, revision: before + 1 });
    expect((await kv.list(prefix)).kvs).toHaveLength(2);
  });

  it('uses up no revision when nothing changes', async () => {
    const before = (await kv.get(prefix)).revision;
    expect(await remove(kv, `${prefix}missing`)).toBe(before);
    expect((await kv.transact({ compare: [], writes: [] })).revision).toBe(before);
  });

  it('refuses a transaction that puts a key twice, puts and deletes it, or names none', async () => {
    const write = (kind: 'put' | 'delete', key: string) =>
      kind === 'put' ? { kind, key, value: 'v' } : { kind, key };
    const attempt = (...writes: ReturnType<typeof write>[]) => kv.transact({ compare: [], writes });
    const key = `${prefix}a`;
    const refusal = { code: 'invalid', definite: true };
    await expect(attempt(write('put', key), write('put', key))).rejects.toMatchObject(refusal);
    await expect(attempt(write('put', key), write('delete', key))).rejects.toMatchObject(refusal);
    await expect(attempt(write('put', ''))).rejects.toMatchObject(refusal);
    const many = Array.from({ length: 129 }, (_, index) => write('put', `${prefix}${index}`));
    await expect(attempt(...many)).rejects.toMatchObject(refusal);
    await expect(attempt(write('delete', key), write('delete', key))).resolves.toMatchObject({
      succeeded: true,
    });
  });

  it('grants at least two seconds, and ties keys to the lease until it is revoked', async () => {
    const lease = await kv.grantLease(1);
    expect(lease.ttlSeconds).toBe(2);
    expect(await kv.keepLeaseAlive(lease.id)).toBe(2);
    expect(await kv.listLeases()).toContain(lease.id);
    await put(kv, `${prefix}a`, 'kept', lease.id);
    await put(kv, `${prefix}b`, 'kept', lease.id);
    await put(kv, `${prefix}c`, 'kept', lease.id);
    const last = await put(kv, `${prefix}b`, 'freed');
    await kv.revokeLease(lease.id);
    expect((await kv.list(prefix)).kvs.map(({ key }) => key)).toEqual([`${prefix}b`]);
    const [, ...batches] = await collectBatches(kv, {
      prefix,
      fromRevision: last + 1,
      untilRevision: last + 1,
    });
    const events = batches.flatMap((batch) => batch.events);
    expect(events).toEqual([
      { kind: 'delete', key: `${prefix}a`, modRevision: last + 1 },
      { kind: 'delete', key: `${prefix}c`, modRevision: last + 1 },
    ]);
  });

  it('knows nothing of a lease that is gone', async () => {
    const { id } = await kv.grantLease(5);
    await kv.revokeLease(id);
    const refusal = { code: 'not_found', definite: true };
    await expect(kv.revokeLease(id)).rejects.toMatchObject(refusal);
    await expect(kv.keepLeaseAlive(id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(put(kv, `${prefix}a`, 'v', id)).rejects.toMatchObject(refusal);
    expect(await kv.listLeases()).not.toContain(id);
  });

  it('deletes the keys of a lease that ran out, not before its time', async () => {
    const startedMs = clock.monotonicMs();
    const { id } = await kv.grantLease(2);
    await put(kv, `${prefix}a`, 'v', id);
    await waitFor({
      clock,
      what: 'the key to go',
      timeoutMs: 5000,
      probe: async () => ((await kv.get(`${prefix}a`)).kv === undefined ? true : undefined),
    });
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(2000);
    await expect(kv.keepLeaseAlive(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('renews many leases at once, each by its own answer', async () => {
    const leases = await Promise.all([3, 4, 5, 6].map((ttl) => kv.grantLease(ttl)));
    const renewed = await Promise.all([...leases, ...leases].map(({ id }) => kv.keepLeaseAlive(id)));
    expect(renewed).toEqual([3, 4, 5, 6, 3, 4, 5, 6]);
    await Promise.all(leases.map(({ id }) => kv.revokeLease(id)));
  });

  it('watches from any kept revision on: first a bookmark, then whole revisions in order', async () => {
    const first = await put(kv, `${prefix}a`, '1');
    await put(kv, `${prefix.slice(0, -1)}-outside`, 'not watched');
    const last = await remove(kv, `${prefix}a`);
    const { clusterId } = await kv.get(prefix);
    const range = { prefix, fromRevision: first, untilRevision: last };
    const [bookmark, ...batches] = await collectBatches(kv, range);
    expect(bookmark).toEqual({ clusterId, revision: first - 1, events: [] });
    expect(batches.flatMap(({ events }) => events)).toMatchObject([
      { kind: 'put', kv: { key: `${prefix}a`, value: '1', modRevision: first } },
      { kind: 'delete', key: `${prefix}a`, modRevision: last },
    ]);
    const [, ...later] = await collectBatches(kv, { ...range, fromRevision: last });
    expect(later.flatMap(({ events }) => events).map(keyOf)).toEqual([`${prefix}a`]);
  });

  it('loses nothing that is written once the bookmark has come', async () => {
    const { revision } = await kv.get(prefix);
    const seen: number[] = [];
    const written: number[] = [];
    for await (const { events } of kv.watch({
      prefix,
      fromRevision: revision + 1,
      signal: AbortSignal.timeout(10_000),
    })) {
      seen.push(...events.map(revisionOf));
      if (written.length === 5) break;
      written.push(await put(kv, `${prefix}a`, 'v'));
    }
    expect(seen).toEqual(written.slice(0, seen.length));
    expect(seen.length).toBeGreaterThanOrEqual(4);
  });

  it('ends a watch whose signal fires, before and after it began', async () => {
    const watchUntil = async (signal: AbortSignal, onFirst = (): void => {}) => {
      for await (const _ of kv.watch({ prefix, fromRevision: 1, signal })) onFirst();
    };
    await expect(watchUntil(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    const stop = new AbortController();
    await expect(watchUntil(stop.signal, () => stop.abort())).rejects.toMatchObject({ code: 'aborted' });
  });

  it('refuses to watch from a compacted revision, and from one that the store has not reached', async () => {
    const first = await put(kv, `${prefix}a`, '1');
    const second = await remove(kv, `${prefix}a`);
    const third = await put(kv, `${prefix}b`, '1');
    await backend.compact(second);
    const from = (fromRevision: number) => collectBatches(kv, { prefix, fromRevision, untilRevision: third });
    await expect(from(1)).rejects.toMatchObject({ code: 'compacted' });
    await expect(from(first)).rejects.toMatchObject({ code: 'compacted' });
    // etcd accepts this one, but may have lost the deletion (etcd-io/etcd#19179).
    await expect(from(second)).rejects.toMatchObject({ code: 'compacted' });
    expect((await from(third)).flatMap(({ events }) => events)).toHaveLength(1);
    await expect(from(third + 2)).rejects.toMatchObject({ code: 'compacted' });
    expect((await kv.get(`${prefix}b`)).kv?.modRevision).toBe(third);
  });

  it('closes one client without harm to another', async () => {
    const other = backend.connect();
    const { revision } = await other.get(prefix);
    const watching = collectBatches(other, { prefix, fromRevision: 1 + revision, untilRevision: Infinity });
    const ended = expect(watching).rejects.toMatchObject({ code: 'aborted' });
    await other.close();
    await ended;
    await expect(other.get(prefix)).rejects.toMatchObject({ code: 'aborted' });
    await expect(kv.get(prefix)).resolves.toBeDefined();
  });
});
