import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../src/base/errors.ts';
import { CLUSTER_KEY, volumeKey } from '../../../../src/kv/keys.ts';
import { type Author, granted, retried } from '../../../../src/model/changes.ts';
import { illegality, type Volume } from '../../../../src/model/volume.ts';
import { actualOf, ID, readyVolume, volumeOf } from '../../model/volumes.ts';
import { createNode, openStore, put, TTL_SECONDS } from './support.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const ENGINE: Author = { writer: { role: 'engine', node: 'a', term: 1 }, nowMs: 0 };
const PARENT = 'vfedcba9876543210';
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
    await node.storage.create({ id: ID, quotaBytes: 1024 ** 3 });
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

  it('takes back what it has exported when that is wanted no more before it is written down', async () => {
    const node = await setUp();
    const before = readyVolume({ exports: [RULE], actual: actualOf({ exports: [RULE] }) });
    await node.storage.create({ id: ID, quotaBytes: 1024 ** 3 });
    await node.exporter.apply({ id: ID, rules: [RULE] });
    await put(node.raw, { ...before, exports: [OTHER] });
    let changes = 0;
    node.kv.transact = async (transaction) => {
      if (changes++ === 0) await put(node.raw, before);
      return node.raw.transact(transaction);
    };
    await node.attend(ID);
    expect((await stored(node)).actual.exports).toEqual([RULE]);
    expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
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

  it('holds the volume on the node by a write before it lets the first clients in', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a', exports: [RULE] }, { error: 'the disk was full' }));
    const { apply } = node.exporter;
    const atExport: Volume[] = [];
    node.exporter.apply = async (wanted) => {
      atExport.push(await stored(node));
      await apply(wanted);
    };
    await node.attend(ID);
    expect(atExport).toMatchObject([
      { state: 'scheduling', actual: { reserved_size: 1, exports: [] }, control: { error: null } },
    ]);
    expect(illegality(atExport[0], { ...(atExport[0] as Volume), node: 'b' })).toContain('the node changed');
    expect(await stored(node)).toMatchObject({ state: 'ready', actual: { exports: [RULE] } });
  });

  it('writes once about a new volume that nobody may mount', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a' }));
    let writes = 0;
    node.kv.transact = async (transaction) => {
      if (transaction.writes.some(({ key }) => key === volumeKey(ID))) writes += 1;
      return node.raw.transact(transaction);
    };
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({ state: 'ready' });
    expect(writes).toBe(1);
  });

  it('gets over a first export that failed, on its node', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a', exports: [RULE] }));
    node.exporter.failNext('apply');
    await node.attend(ID);
    const failed = await stored(node);
    expect(failed).toMatchObject({ state: 'error', node: 'a', actual: { exports: [] } });
    const again = retried(failed, 'b', ENGINE);
    expect(again).toMatchObject({ state: 'pending', node: 'a' });
    await put(node.raw, granted(again, ENGINE));
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({
      state: 'ready',
      actual: { reserved_size: 1, exports: [RULE] },
      control: { error: null, error_count: 0 },
    });
    expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
  });

  describe('about a volume that was handed over', () => {
    const COPY = '00000000000000ab-0';
    const arriving = async () => {
      const node = await setUp();
      await node.storage.create({ id: ID, quotaBytes: 1 << 30 });
      await node.storage.freeze({ id: ID, name: COPY });
      node.disk.subvolumes.delete(ID);
      const task = { kind: 'move', cause: 'drain', node: 'a', copy: COPY } as const;
      const actual = actualOf({ exports: [] });
      await put(node.raw, readyVolume({ state: 'moving', exports: [RULE], actual }, { task }));
      return node;
    };

    it('makes it while the mark is on its way, and lets nobody in before the mark is there', async () => {
      const node = await arriving();
      const mark = Promise.withResolvers<void>();
      const made = Promise.withResolvers<void>();
      node.binding.witness = () => mark.promise;
      const { adopt } = node.storage;
      node.storage.adopt = async (...wanted) => {
        await adopt(...wanted);
        made.resolve();
      };
      const attended = node.attend(ID);
      await made.promise;
      await node.clock.settle();
      expect(node.exporter.server.exports.size).toBe(0);
      expect((await stored(node)).state).toBe('moving');
      mark.resolve();
      await attended;
      expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
      expect((await stored(node)).state).toBe('ready');
    });

    it('lets nobody in when there can be no mark, and does when there can', async () => {
      const node = await arriving();
      const { witness } = node.binding;
      node.binding.witness = async () => {
        throw new RigError('conflict', 'this is another cluster');
      };
      await expect(node.attend(ID)).rejects.toMatchObject({ code: 'conflict' });
      expect(node.exporter.server.exports.size).toBe(0);
      expect((await stored(node)).state).toBe('moving');
      node.binding.witness = witness;
      await node.attend(ID);
      expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
    });
  });

  it('creates while the mark is on its way, and neither tells nor exports before it is there', async () => {
    const node = await setUp();
    await put(node.raw, volumeOf({ node: 'a', exports: [RULE] }));
    const mark = Promise.withResolvers<void>();
    node.binding.witness = () => mark.promise;
    const attended = node.attend(ID);
    await node.clock.settle();
    expect([...node.disk.subvolumes.keys()]).toEqual([ID]);
    expect(node.exporter.server.exports.size).toBe(0);
    expect(await stored(node)).toMatchObject({ state: 'scheduling', actual: null });
    mark.resolve();
    await attended;
    expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
    expect((await stored(node)).state).toBe('ready');
  });

  it.each([
    ['scheduling', {}],
    ['cloning', { parent_id: PARENT }],
  ] as const)(
    'does not limit what clients use by what a store of before it says: %s',
    async (state, control) => {
      const node = await setUp();
      await node.storage.create({ id: PARENT, quotaBytes: 1 << 30 });
      await node.storage.create({ id: ID, quotaBytes: 2 * 1024 ** 3 });
      await put(node.raw, volumeOf({ node: 'a', state }, control));
      node.binding.witness = async () => {
        throw new RigError('conflict', 'this is another cluster');
      };
      await expect(node.attend(ID)).rejects.toMatchObject({ code: 'conflict' });
      expect(node.disk.subvolumes.get(ID)?.quotaBytes).toBe(2 * 1024 ** 3);
    },
  );

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

  const COPY = '00000000000000ab-2';
  const move = { kind: 'move', cause: 'asked' } as const;

  it('tries again to make a volume that was handed over, and never gives it up', async () => {
    const node = await setUp();
    const arriving = readyVolume(
      { state: 'moving', exports: [RULE], actual: actualOf({ exports: [] }) },
      { task: { ...move, node: 'a', copy: COPY } },
    );
    await put(node.raw, arriving);
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({
      state: 'moving',
      node: 'a',
      control: { error: expect.stringContaining('no complete copy'), task: { copy: COPY } },
    });
    expect(node.exporter.server.exports.size).toBe(0);
    const { revision } = node.store;
    await node.attend(ID);
    // It says so once.
    expect(node.store.revision - revision).toBeLessThanOrEqual(1);
    await node.storage.create({ id: ID, quotaBytes: 1 << 20 });
    await node.storage.freeze({ id: ID, name: COPY });
    node.disk.subvolumes.delete(ID);
    node.exporter.failNext('apply');
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({
      state: 'moving',
      control: { error: 'apply failed on demand' },
    });
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({ state: 'ready', control: { error: null, task: null } });
    expect(node.disk.subvolumes.get(ID)?.quotaBytes).toBe(1 << 30);
    expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
  });

  it('exports what is on its way from here only after a write that no handover can pass', async () => {
    const node = await setUp();
    const departing = readyVolume(
      { state: 'moving', exports: [RULE] },
      { task: { ...move, node: 'b', copy: null } },
    );
    await put(node.raw, departing);
    await node.storage.create({ id: ID, quotaBytes: 1 << 30 });
    const before = node.store.revision;
    const { apply } = node.exporter;
    const writtenAtExport: boolean[] = [];
    node.exporter.apply = async (wanted) => {
      const { kv } = await node.raw.get(volumeKey(ID));
      writtenAtExport.push((kv?.modRevision ?? 0) > before);
      await apply(wanted);
    };
    await node.attend(ID);
    expect(writtenAtExport).toEqual([true]);
    expect(await stored(node)).toMatchObject({ state: 'moving', actual: { exports: [RULE] } });
  });

  it.each([
    ['moving', { ...move, node: 'b', copy: null }],
    ['rewriting', { kind: 'rewrite', compression: 'zlib' }],
  ] as const)('goes on with what it is in when its exports can not be changed: %s', async (state, task) => {
    const node = await setUp();
    await node.storage.create({ id: ID, quotaBytes: 1 << 30 });
    await put(node.raw, readyVolume({ state, exports: [RULE] }, { task }));
    node.exporter.failNext('apply');
    await node.attend(ID);
    expect(await stored(node)).toMatchObject({ state, actual: { exports: [] } });
    expect(node.diskFailures).toEqual(['failed']);
  });

  it('does not clone what has become of somebody else’s while it was held up', async () => {
    const node = await setUp();
    await node.storage.create({ id: PARENT, quotaBytes: 1 << 30 });
    const cloning = volumeOf({ state: 'cloning', node: 'a' }, { parent_id: PARENT });
    await put(node.raw, cloning);
    node.binding.witness = async () => {
      node.clock.freeze(TTL_SECONDS * 1000);
      await put(node.raw, { ...cloning, state: 'pending', node: null });
    };
    await node.attend(ID);
    expect([...node.disk.subvolumes.keys()]).toEqual([PARENT]);
  });
});
