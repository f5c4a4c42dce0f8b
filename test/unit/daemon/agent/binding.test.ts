import { describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY, diskKey, ROOT, VERSION_KEY } from '../../../../src/kv/keys.ts';
import type { Kv } from '../../../../src/kv/kv.ts';
import { createMemoryStore, type MemoryStore } from '../../../../src/kv/memory.ts';
import type { MemoryDisk } from '../../../../src/storage/memory.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { ID, readyVolume, volumeOf } from '../../model/volumes.ts';
import { createNode, openStore, put, remove } from './support.ts';

/** What `etcdctl snapshot save` would hold, put into an etcd of the same configuration. */
async function backupOf(store: MemoryStore): Promise<() => Promise<MemoryStore>> {
  const { kvs } = await store.connect().list(ROOT);
  return async () => {
    const restored = createMemoryStore({ clock: createManualClock() });
    const writes = kvs.map(({ key, value }) => ({ kind: 'put', key, value }) as const);
    await restored.connect().transact({ compare: [], writes });
    return restored;
  };
}

/** Its revisions grow past anything that was ever seen. */
async function overtake(store: MemoryStore, revision: number): Promise<void> {
  const kv = store.connect();
  while (store.revision <= revision)
    await kv.transact({ compare: [], writes: [{ kind: 'put', key: '/other', value: '' }] });
}

const setVersion = (kv: Kv, value: string) =>
  kv.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value }] });

describe('the binding of a disk', () => {
  it('refuses a daemon of another node, which would trash every volume of the first', async () => {
    const store = await openStore();
    const first = createNode({ store });
    await put(first.raw, volumeOf({ node: 'a' }));
    await first.binding.check();
    await first.attend(ID);
    const renamed = createNode({ store, node: 'b', disk: first.disk });
    expect(await renamed.binding.check()).toBeUndefined();
    expect(renamed.events()).toEqual(['disk.foreign']);
  });

  it.each(['behind', 'ahead'])(
    'refuses a restored backup whose revision is %s after a restart',
    async (how) => {
      const store = await openStore();
      const before = createNode({ store });
      expect(await before.binding.check()).toBeDefined();
      await before.binding.witness(0);
      const restore = await backupOf(store);
      await put(before.raw, volumeOf({ node: 'a' }));
      await before.attend(ID);
      expect(before.disk.subvolumes.has(ID)).toBe(true);
      const restored = await restore();
      if (how === 'ahead') await overtake(restored, store.revision + 100);
      const after = createNode({ store: restored, disk: before.disk });
      expect(await after.binding.check()).toBeUndefined();
      expect(after.events()).toEqual(['cluster.changed']);
      await expect(after.binding.witness(0)).rejects.toMatchObject({ code: 'conflict' });
    },
  );

  it('goes on after a crash between the mark in etcd and the mark on the disk', async () => {
    const store = await openStore();
    const before = createNode({ store });
    await before.binding.check();
    await before.binding.witness(0);
    before.storage.failNext('bind');
    await expect(before.binding.witness(store.revision)).rejects.toMatchObject({ code: 'io' });
    const after = createNode({ store, disk: before.disk });
    expect(await after.binding.check()).toBeDefined();
    await after.binding.witness(store.revision);
    expect(after.disk.binding?.mark).toBe(3);
  });

  it('refuses a store in which another disk has taken its place', async () => {
    const store = await openStore();
    const first = createNode({ store });
    await first.binding.check();
    await first.binding.witness(0);
    const second = createNode({ store });
    // The seed is the same, so the disks' ids would be, too.
    second.disk.binding = { ...(first.disk.binding ?? fail()), disk: 'ff'.repeat(16), mark: 0 };
    await second.binding.check();
    await second.binding.witness(store.revision);
    expect(await first.binding.check()).toBeUndefined();
    expect(first.events()).toContain('cluster.changed');
  });

  it('leaves a mark after each change of a volume of its own, and none otherwise', async () => {
    const store = await openStore();
    const { binding, raw, disk } = createNode({ store });
    await binding.check();
    await put(raw, readyVolume());
    await binding.check();
    expect(disk.binding?.mark).toBe(1);
    const { revision } = store;
    await binding.check();
    expect(store.revision).toBe(revision);
    expect((await raw.get(diskKey('a'))).kv?.modRevision).toBe(revision);
  });

  it('shares one mark among those that wait for it', async () => {
    const store = await openStore();
    const { binding, disk } = createNode({ store });
    await binding.check();
    const { revision } = store;
    await Promise.all([1, 2, 3].map(() => binding.witness(revision)));
    expect(disk.binding?.mark).toBe(1);
  });

  it('stays refused when revisions went back, though they come forward again', async () => {
    const store = await openStore();
    const { binding, kv, raw, log } = createNode({ store });
    await put(raw, readyVolume({ node: 'b' }));
    await binding.check();
    kv.list = async (prefix) => ({ ...(await raw.list(prefix)), revision: 2 });
    expect(await binding.check()).toBeUndefined();
    kv.list = raw.list;
    await remove(raw, ID);
    expect(await binding.check()).toBeUndefined();
    expect(await binding.confirm()).toBe(false);
    expect(log.map(({ event }) => event)).toEqual(['disk.bound', 'cluster.changed']);
  });

  it('confirms a cluster though a check overtakes the answer', async () => {
    const store = await openStore();
    const { binding, kv, raw } = createNode({ store });
    await binding.check();
    const gate = Promise.withResolvers<void>();
    kv.get = async (key) => {
      const answer = await raw.get(key);
      await gate.promise;
      return answer;
    };
    const confirmed = binding.confirm();
    await put(raw, readyVolume({ node: 'b' }));
    expect(await binding.check()).toBeDefined();
    gate.resolve();
    expect(await confirmed).toBe(true);
  });

  it('does not confirm a cluster that has gone back', async () => {
    const store = await openStore();
    const { binding, kv, raw } = createNode({ store });
    await binding.check();
    kv.get = async (key) => ({ ...(await raw.get(key)), revision: 1 });
    expect(await binding.confirm()).toBe(false);
  });

  it('refuses to work in a cluster of another version from the start', async () => {
    const store = createMemoryStore({ clock: createManualClock() });
    await setVersion(store.connect(), '2');
    const { binding, disk } = createNode({ store });
    await expect(binding.check()).rejects.toMatchObject({ code: 'unsupported' });
    expect(disk.binding).toBeNull();
  });

  it('refuses one that turns to another version, until it is the right one again', async () => {
    const store = await openStore();
    const { binding, raw, log } = createNode({ store });
    await binding.check();
    const refused = binding.refused();
    expect(refused.aborted).toBe(false);
    await setVersion(raw, '2');
    expect(await binding.check()).toBeUndefined();
    expect(refused.aborted).toBe(true);
    expect(binding.refused().aborted).toBe(true);
    expect(await binding.confirm()).toBe(false);
    expect(log.at(-1)).toMatchObject({
      event: 'cluster.changed',
      reason: expect.stringContaining('version 2'),
    });
    await setVersion(raw, '1');
    expect(await binding.check()).toBeDefined();
    expect(binding.refused().aborted).toBe(false);
    expect(refused.aborted).toBe(true);
  });

  it('does not confirm a cluster with another identity', async () => {
    const store = await openStore();
    const { binding, raw } = createNode({ store });
    await binding.check();
    expect(await binding.confirm()).toBe(true);
    await raw.transact({
      compare: [],
      writes: [{ kind: 'put', key: CLUSTER_KEY, value: JSON.stringify({ uid: '1'.repeat(32) }) }],
    });
    expect(await binding.confirm()).toBe(false);
  });
});

describe('a volume that is about to leave', () => {
  const onDisk = (node: { readonly disk: MemoryDisk }) => node.disk.binding?.leaving ?? {};

  async function leaving() {
    const store = await openStore();
    const node = createNode({ store });
    await put(node.raw, readyVolume({ node: 'a' }));
    await node.binding.check();
    await node.binding.leave(ID, 'b');
    return { store, node };
  }

  it('is remembered by the disk, with a mark of its own, for as long as it is here', async () => {
    const { store, node } = await leaving();
    expect(node.binding.leaving(ID)).toBe('b');
    expect(onDisk(node)).toEqual({ [ID]: 'b' });
    expect((await node.raw.get(diskKey('a'))).kv?.modRevision).toBe(store.revision);
    await node.binding.witness(store.revision);
    const again = createNode({ store, disk: node.disk });
    expect(await again.binding.check()).toBeDefined();
    expect(again.binding.leaving(ID)).toBe('b');
  });

  it('is forgotten with a newer mark once it has left, and without one once it certainly stays', async () => {
    const [gone, kept] = [await leaving(), await leaving()];
    const marks = [gone, kept].map(({ node }) => node.disk.binding?.mark ?? 0);
    await gone.node.binding.left(ID);
    await kept.node.binding.stay(ID);
    for (const { node } of [gone, kept]) {
      expect(node.binding.leaving(ID)).toBeUndefined();
      expect(onDisk(node)).toEqual({});
    }
    // As a daemon wrote it that knew of no such warning, and refuses what it does not know.
    for (const { node } of [gone, kept]) expect(JSON.stringify(node.disk.binding)).not.toContain('leaving');
    expect(gone.node.disk.binding?.mark).toBe((marks[0] ?? 0) + 1);
    expect(kept.node.disk.binding?.mark).toBe(marks[1]);
  });

  it('is forgotten by a later process that finds it elsewhere, with a mark that its backup lacks', async () => {
    const { store, node } = await leaving();
    const restore = await backupOf(store);
    await put(node.raw, readyVolume({ node: 'b' }));
    const after = createNode({ store, disk: node.disk });
    expect(await after.binding.check()).toBeDefined();
    expect(onDisk(after)).toEqual({});
    const restored = await restore();
    await overtake(restored, store.revision);
    const later = createNode({ store: restored, disk: node.disk });
    expect(await later.binding.check()).toBeUndefined();
  });

  it('does not leave when its mark could not be made', async () => {
    const store = await openStore();
    const node = createNode({ store });
    await put(node.raw, readyVolume({ node: 'a' }));
    await node.binding.check();
    node.storage.failNext('bind');
    await expect(node.binding.leave(ID, 'b')).rejects.toMatchObject({ code: 'io' });
    expect(node.binding.leaving(ID)).toBeUndefined();
    expect(onDisk(node)).toEqual({});
  });
});

function fail(): never {
  throw new Error('the disk is not bound');
}
