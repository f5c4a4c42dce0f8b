import { describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY, diskKey, ROOT } from '../../../../src/kv/keys.ts';
import { createMemoryStore, type MemoryStore } from '../../../../src/kv/memory.ts';
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

function fail(): never {
  throw new Error('the disk is not bound');
}
