import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../src/base/errors.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import type { Storage } from '../../../../src/storage/storage.ts';
import { actualOf, ID, readyVolume } from '../../model/volumes.ts';
import { createNode, openStore, put } from './support.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const rewriting = (fields: Partial<Volume> = {}): Volume =>
  readyVolume({ state: 'rewriting', ...fields }, { task: { kind: 'rewrite', compression: 'zlib' } });
const named = (digit: number) => `v000000000000000${digit}`;

/** A node with a subvolume for each id, whose rewrites take until they are told to end. */
async function setUp(ids: readonly string[] = [ID]) {
  const node = createNode({ store: await openStore() });
  await node.binding.check();
  node.queue.release();
  for (const id of ids) {
    await node.storage.create({ id, quotaBytes: 1 << 30 });
    Object.assign(node.disk.subvolumes.get(id) ?? {}, { usedBytes: 1000 });
  }
  const { rewrite } = node.storage;
  const running = new Map<string, { readonly end: () => void; readonly fail: (error: RigError) => void }>();
  node.storage.rewrite = async (options: Parameters<Storage['rewrite']>[0]) => {
    await new Promise<void>((resolve, reject) => {
      running.set(options.id, { end: resolve, fail: reject });
      options.signal?.addEventListener('abort', () => reject(new RigError('aborted', 'it was ended')));
    }).finally(() => running.delete(options.id));
    return rewrite(options);
  };
  const stored = async (id = ID): Promise<Volume> =>
    JSON.parse((await node.raw.get(`/cobalt/v1/volumes/${id}`)).kv?.value ?? 'null') as Volume;
  return { ...node, running, stored, settle: () => node.clock.settle() };
}

describe('a rewrite', () => {
  it('goes on beside jobs on the volume, and is written down when it has ended', async () => {
    const node = await setUp();
    await put(node.raw, rewriting());
    await node.attend(ID);
    await put(node.raw, rewriting({ exports: [RULE] }));
    await node.attend(ID);
    expect(node.exporter.server.exports.get(ID)).toEqual([RULE]);
    expect(await node.stored()).toMatchObject({ state: 'rewriting', actual: { exports: [RULE] } });
    node.running.get(ID)?.end();
    await node.settle();
    expect(node.ended).toEqual([ID]);
    await node.attend(ID);
    expect(await node.stored()).toMatchObject({
      state: 'ready',
      control: { task: null },
      actual: { compression: 'zlib', space: { before: 1000, after: 500 }, exports: [RULE] },
    });
  });

  it('keeps the compression when it only defragments', async () => {
    const node = await setUp();
    const task = { kind: 'rewrite', compression: null } as const;
    await put(
      node.raw,
      readyVolume({ state: 'rewriting', actual: actualOf({ compression: 'lzo' }) }, { task }),
    );
    await node.attend(ID);
    node.running.get(ID)?.end();
    await node.settle();
    await node.attend(ID);
    expect(await node.stored()).toMatchObject({ state: 'ready', actual: { compression: 'lzo' } });
  });

  it('ends in error with the reason when the disk fails', async () => {
    const node = await setUp();
    await put(node.raw, rewriting());
    await node.attend(ID);
    node.running.get(ID)?.fail(new RigError('io', 'Input/output error'));
    await node.settle();
    await node.attend(ID);
    expect(await node.stored()).toMatchObject({ state: 'error', control: { error: 'Input/output error' } });
  });

  it('waits while two others run, and is left out when it is not wanted any more', async () => {
    const ids = [1, 2, 3, 4].map(named);
    const node = await setUp(ids);
    for (const id of ids) {
      await put(node.raw, { ...rewriting(), id });
      await node.attend(id);
    }
    expect([...node.running.keys()]).toEqual([named(1), named(2)]);
    await put(node.raw, readyVolume({ id: named(3) }));
    await node.attend(named(3));
    node.running.get(named(1))?.end();
    await node.settle();
    expect([...node.running.keys()]).toEqual([named(2), named(4)]);
  });

  it('ends, with its volume as it was, when the agent does', async () => {
    const node = await setUp();
    await put(node.raw, rewriting());
    await node.attend(ID);
    expect(node.running.size).toBe(1);
    await node.rewrites.close();
    expect(node.running.size).toBe(0);
    await node.attend(ID);
    expect(node.running.size).toBe(0);
    expect((await node.stored()).state).toBe('rewriting');
  });

  it('does not begin before another one of the same volume has ended', async () => {
    const node = await setUp();
    let release = (): void => {};
    const { rewrite } = node.storage;
    let begun = 0;
    node.storage.rewrite = async (options) => {
      begun += 1;
      if (begun > 1) return rewrite(options);
      // It takes its time to notice.
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      throw new RigError('aborted', 'it was ended');
    };
    for (const volume of [rewriting(), readyVolume(), rewriting()]) {
      await put(node.raw, volume);
      await node.attend(ID);
    }
    await node.settle();
    expect(begun).toBe(1);
    release();
    await node.settle();
    expect(begun).toBe(2);
  });

  it('that can not be ended holds its volume up for some seconds only, and is never joined by another', async () => {
    const node = await setUp();
    const { rewrite } = node.storage;
    const hanging = Promise.withResolvers<void>();
    let begun = 0;
    node.storage.rewrite = async (options) => {
      begun += 1;
      if (begun > 1) return rewrite(options);
      await hanging.promise;
      throw new RigError('aborted', 'it was ended');
    };
    await put(node.raw, rewriting());
    await node.attend(ID);
    const stopped = node.rewrites.stop(ID);
    await node.clock.advance(2999);
    expect(node.events()).not.toContain('volume.rewrite-not-ended');
    await node.clock.advance(1);
    await stopped;
    expect(node.events()).toContain('volume.rewrite-not-ended');
    await node.attend(ID);
    await node.settle();
    expect(begun).toBe(1);
    hanging.resolve();
    await node.settle();
    expect(begun).toBe(2);
  });

  it('ends before its volume is trashed', async () => {
    const node = await setUp();
    await put(node.raw, rewriting());
    await node.attend(ID);
    const { trash } = node.storage;
    const atTrash: number[] = [];
    node.storage.trash = async (id) => {
      atTrash.push(node.running.size);
      await trash(id);
    };
    await put(node.raw, readyVolume({ state: 'deleting' }));
    await node.attend(ID);
    expect(atTrash).toEqual([0]);
    expect(node.disk.subvolumes.size).toBe(0);
  });

  it('is not told of a later rewrite when the answer to its end was lost', async () => {
    const node = await setUp();
    await put(node.raw, rewriting());
    await node.attend(ID);
    node.running.get(ID)?.end();
    await node.settle();
    const { transact } = node.kv;
    node.kv.transact = async (transaction) => {
      await transact(transaction);
      throw new RigError('timeout', 'no answer', { definite: false });
    };
    await expect(node.attend(ID)).rejects.toMatchObject({ code: 'timeout' });
    node.kv.transact = transact;
    // It was written, and somebody has asked again since.
    expect((await node.stored()).state).toBe('ready');
    await put(node.raw, rewriting());
    await node.attend(ID);
    expect((await node.stored()).state).toBe('rewriting');
    await node.settle();
    expect(node.running.size).toBe(1);
  });
});
