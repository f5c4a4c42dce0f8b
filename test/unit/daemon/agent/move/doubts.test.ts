// What a node asks another of a volume that it may have given away, and that none of it stays behind.

import { describe, expect, it } from '@jest/globals';
import { doubtKey, specKey, volumeKey } from '../../../../../src/kv/keys.ts';
import type { MemoryStore } from '../../../../../src/kv/memory.ts';
import { illegality } from '../../../../../src/model/volume.ts';
import { createMemoryDisk } from '../../../../../src/storage/memory.ts';
import { ID, readyVolume } from '../../../model/volumes.ts';
import { createNode, openStore, put, remove } from '../support.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;

/** Node a has a volume that a process before may have given to b, and exports it for clients. */
async function inDoubt() {
  const store = await openStore();
  const disk = createMemoryDisk({ totalBytes: 64 * 1024 ** 3 });
  const before = createNode({ store, disk });
  await before.raw.transact({ compare: [], writes: [{ kind: 'put', key: specKey('b'), value: '{}' }] });
  const volume = readyVolume({ node: 'a', exports: [RULE] });
  await put(before.raw, volume);
  await before.binding.check();
  await before.storage.create({ id: ID, quotaBytes: 1024 ** 3 });
  await before.binding.leave(ID, 'b');
  const [a, b] = [createNode({ store, disk }), createNode({ store, node: 'b' })];
  await a.reconciler.pass();
  await a.attend(ID);
  return { store, volume, a, b };
}

const doubt = async (store: MemoryStore) => {
  const { kv } = await store.connect().get(doubtKey(ID));
  return kv === undefined ? undefined : (JSON.parse(kv.value) as { isAnswered: boolean });
};

/** One comparison, and the end of what it began. */
async function pass(node: ReturnType<typeof createNode>): Promise<void> {
  await node.reconciler.pass();
  node.queue.hold();
  await node.queue.idle();
  await new Promise(setImmediate);
  node.queue.release();
}

describe('a volume in doubt', () => {
  it('is in a state that is legal and can be read, and waits without an error', async () => {
    const { a, volume } = await inDoubt();
    await expect(a.attend(ID)).resolves.toBeUndefined();
    expect(await a.exporter.find(ID)).toBeUndefined();
    const { kv } = await a.raw.get(volumeKey(ID));
    const after = JSON.parse(kv?.value ?? '');
    expect(after.control.error).toMatch(/^node b may have it/);
    expect(illegality(volume, after)).toBeUndefined();
    expect(a.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is exported once the other node has answered, and the question goes', async () => {
    const { store, a, b } = await inDoubt();
    expect(await doubt(store)).toMatchObject({ isAnswered: false });
    await pass(b);
    expect(await doubt(store)).toMatchObject({ isAnswered: true });
    await a.attend(ID);
    expect(await a.exporter.find(ID)).toMatchObject({ rules: [RULE] });
    await pass(a);
    expect(await doubt(store)).toBeUndefined();
  });

  it('leaves no question behind when it is deleted after the answer', async () => {
    const { store, a, b } = await inDoubt();
    await pass(b);
    expect(await doubt(store)).toMatchObject({ isAnswered: true });
    await remove(a.raw, ID);
    await pass(a);
    expect(await doubt(store)).toBeUndefined();
  });

  it('leaves no question behind when whoever asked it is gone, and it is deleted', async () => {
    const { store, a, b } = await inDoubt();
    await pass(b);
    await remove(a.raw, ID);
    await pass(b);
    expect(await doubt(store)).toBeUndefined();
  });
});
