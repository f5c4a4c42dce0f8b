import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../src/base/errors.ts';
import { CLUSTER_KEY, volumeKey } from '../../../../src/kv/keys.ts';
import { ID, readyVolume, volumeOf } from '../../model/volumes.ts';
import { createNode, INTERVAL_MS, openStore, put, remove } from './support.ts';

/** A node with one subvolume that nobody accounts for, seen once. */
async function suspecting() {
  const node = createNode({ store: await openStore() });
  await node.reconciler.pass();
  await node.storage.create({ id: ID, quotaBytes: 1 << 20 });
  await node.reconciler.pass();
  node.clock.freeze(INTERVAL_MS);
  return node;
}
const isThere = ({ disk }: Awaited<ReturnType<typeof suspecting>>): boolean => disk.subvolumes.has(ID);

describe('a reconciliation', () => {
  it('trashes an orphan at the second pass', async () => {
    const node = await suspecting();
    expect(isThere(node)).toBe(true);
    await node.reconciler.pass();
    expect(isThere(node)).toBe(false);
  });

  it('trashes what was never completed when its key is gone', async () => {
    const node = createNode({ store: await openStore() });
    await node.binding.check();
    await put(node.raw, volumeOf({ node: 'a' }));
    // It dies between the creation and its record.
    node.kv.transact = async (transaction) => {
      if (transaction.writes.some(({ key }) => key === volumeKey(ID)))
        throw new RigError('aborted', 'the agent died');
      return node.raw.transact(transaction);
    };
    await node.attend(ID).catch(() => undefined);
    const next = createNode({ store: node.store, disk: node.disk, clock: node.clock });
    expect(isThere(next)).toBe(true);
    await remove(next.raw, ID);
    await next.reconciler.pass();
    next.clock.freeze(INTERVAL_MS);
    await next.reconciler.pass();
    expect(isThere(next)).toBe(false);
  });

  it('spares what was assigned to the node between listing and deed', async () => {
    const node = await suspecting();
    node.kv.get = async (key) => {
      if (key === volumeKey(ID)) await put(node.raw, readyVolume());
      return node.raw.get(key);
    };
    await node.reconciler.pass();
    expect(isThere(node)).toBe(true);
  });

  it('spares everything when the cluster is another between listing and deed', async () => {
    const node = await suspecting();
    node.kv.get = async (key) => {
      if (key === volumeKey(ID))
        await node.raw.transact({
          compare: [],
          writes: [{ kind: 'put', key: CLUSTER_KEY, value: JSON.stringify({ uid: '1'.repeat(32) }) }],
        });
      // The read of the identity goes after the one of the volume.
      await node.clock.settle();
      return node.raw.get(key);
    };
    await node.reconciler.pass();
    expect(isThere(node)).toBe(true);
  });

  it('begins to suspect anew after a pass that failed', async () => {
    const node = await suspecting();
    node.kv.list = async () => {
      throw new RigError('timeout', 'no answer', { definite: false });
    };
    await expect(node.reconciler.pass()).rejects.toMatchObject({ code: 'timeout' });
    node.kv.list = node.raw.list;
    await node.reconciler.pass();
    expect(isThere(node)).toBe(true);
  });

  it('marks disk and etcd before it trashes', async () => {
    const node = await suspecting();
    await node.reconciler.pass();
    expect(node.disk.binding?.mark).toBe(1);
    expect(node.disk.binding?.revision).toBe(node.store.revision);
  });
});
