import { describe, expect, it } from '@jest/globals';
import { CLUSTER_KEY } from '../../../../src/kv/keys.ts';
import { ID, readyVolume, volumeOf } from '../../model/volumes.ts';
import { createNode, openStore, put, TTL_SECONDS } from './support.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const OTHER = { host: '10.0.0.2', access: 'ro', squash: 'none' } as const;

async function setUp() {
  const node = createNode({ store: await openStore() });
  await node.binding.check();
  return node;
}
const stored = async ({ raw }: Awaited<ReturnType<typeof setUp>>, id = ID) =>
  JSON.parse((await raw.list(`/cobalt/v1/volumes/${id}`)).kvs[0]?.value ?? 'null');

describe('a job of the agent', () => {
  it('never writes over what was changed while it worked', async () => {
    const node = await setUp();
    await put(node.raw, readyVolume({ exports: [RULE] }));
    let changes = 0;
    node.kv.transact = async (transaction) => {
      if (changes++ === 0) await put(node.raw, readyVolume({ exports: [OTHER] }));
      return node.raw.transact(transaction);
    };
    await node.attend(ID);
    expect((await stored(node)).exports).toEqual([OTHER]);
    expect((await stored(node)).actual.exports).toEqual([OTHER]);
    expect(node.exporter.server.exports.get(ID)).toEqual([OTHER]);
  });

  it('does nothing in a cluster that is not the disk’s', async () => {
    const node = await setUp();
    await put(node.raw, readyVolume({ exports: [RULE] }));
    await node.raw.transact({
      compare: [],
      writes: [{ kind: 'put', key: CLUSTER_KEY, value: JSON.stringify({ uid: '1'.repeat(32) }) }],
    });
    await node.attend(ID);
    expect(node.exporter.server.exports.size).toBe(0);
  });

  it('does not create from a stale read: it was paused, and the volume was given away', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a' }));
    node.binding.witness = async () => {
      node.clock.freeze(TTL_SECONDS * 1000);
      await put(node.raw, volumeOf({ node: 'b' }));
    };
    await node.attend(ID);
    expect(node.disk.subvolumes.size).toBe(0);
    expect(node.lost).toEqual([ID]);
  });

  it('does not export what was given away while it was created, and asks for a look', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a', exports: [RULE] }));
    const { create } = node.storage;
    node.storage.create = async (options) => {
      await create(options);
      await put(node.raw, volumeOf({ node: 'b', exports: [RULE] }));
    };
    await node.attend(ID);
    expect(node.exporter.server.exports.size).toBe(0);
    expect(node.lost).toEqual([ID]);
  });

  it('tells of a disk that cannot be written to, also when the mark is what it refuses', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a' }));
    node.storage.failNext('bind');
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({ state: 'error', control: { error: 'bind failed on demand' } });
  });

  it.each(['scheduling', 'ready', 'resizing', 'deleting'] as const)(
    'ends in error when the disk fails, unless it deletes: %s',
    async (state) => {
      const node = await setUp();
      const volume = state === 'scheduling' ? volumeOf({ node: 'a' }) : readyVolume({ state });
      await put(node.raw, { ...volume, requested: { reserved_size: 2, constraints: {} } });
      for (const call of ['create', 'setQuota', 'trash'] as const) node.storage.failNext(call);
      if (state === 'ready') await put(node.raw, { ...volume, exports: [] });
      if (state === 'resizing')
        await node.storage
          .create({ id: ID, quotaBytes: 1 << 30 })
          .catch(() => node.storage.create({ id: ID, quotaBytes: 1 << 30 }));
      await node.attend(ID);
      const expected = { scheduling: 'error', ready: 'ready', resizing: 'error', deleting: 'deleting' };
      expect((await stored(node)).state).toBe(expected[state]);
    },
  );
});
