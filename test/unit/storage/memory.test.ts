import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { createMemoryDisk, createMemoryStorage } from '../../../src/storage/memory.ts';

const clock = createSystemClock();
const id = 'v00000000000000ab';

describe('the memory storage', () => {
  it('finds what the last incarnation left on the disk', async () => {
    const disk = createMemoryDisk({ totalBytes: 1_000_000 });
    await createMemoryStorage({ clock, disk }).create({ id, quotaBytes: 8192 });
    expect(await createMemoryStorage({ clock, disk }).list()).toEqual([
      { id, quotaBytes: 8192, usedBytes: 0 },
    ]);
  });

  it('fails on demand, once for each demand, and without an effect', async () => {
    const storage = createMemoryStorage({ clock });
    storage.failNext('create');
    storage.failNext('create', new RigError('timeout', 'a slow disk', { definite: false }));
    const create = (): Promise<void> => storage.create({ id, quotaBytes: 8192 });
    await expect(create()).rejects.toMatchObject({ code: 'io' });
    await expect(create()).rejects.toMatchObject({ code: 'timeout', definite: false });
    expect(await storage.list()).toEqual([]);
    await create();
    expect(await storage.list()).toHaveLength(1);
  });

  it('has less left when more is used, until the trash is purged', async () => {
    const disk = createMemoryDisk({ totalBytes: 100_000 });
    const storage = createMemoryStorage({ clock, disk });
    await storage.create({ id, quotaBytes: 8192 });
    const subvolume = disk.subvolumes.get(id);
    if (subvolume !== undefined) subvolume.usedBytes = 4096;
    await storage.trash(id);
    expect((await storage.space()).availableBytes).toBe(95_904);
    await storage.purgeTrash({ olderThanMs: 0 });
    expect((await storage.space()).availableBytes).toBe(100_000);
  });

  it('counts a copy once with the volume that it shares with, and by itself when that is gone', async () => {
    const disk = createMemoryDisk({ totalBytes: 100_000 });
    const storage = createMemoryStorage({ clock, disk });
    const copy = { id, name: '00000000000000cd-0' };
    await storage.create({ id, quotaBytes: 8192 });
    (disk.subvolumes.get(id) as { usedBytes: number }).usedBytes = 4096;
    await storage.freeze(copy);
    expect((await storage.space()).availableBytes).toBe(95_904);
    await storage.trash(id);
    await storage.purgeTrash({ olderThanMs: 0 });
    expect((await storage.space()).availableBytes).toBe(95_904);
    await storage.discard(copy);
    expect((await storage.space()).availableBytes).toBe(100_000);
  });

  it('frees by compression what its model says', async () => {
    const disk = createMemoryDisk({ totalBytes: 100_000 });
    const storage = createMemoryStorage({ clock, disk });
    await storage.create({ id, quotaBytes: 8192 });
    (disk.subvolumes.get(id) as { usedBytes: number }).usedBytes = 8000;
    const rewrite = (compression: 'none' | 'lzo' | 'zstd:3' | null) => storage.rewrite({ id, compression });
    expect(await rewrite('zstd:3')).toEqual({ beforeBytes: 8000, afterBytes: 3000 });
    expect(await rewrite(null)).toEqual({ beforeBytes: 3000, afterBytes: 3000 });
    expect(await rewrite('lzo')).toEqual({ beforeBytes: 3000, afterBytes: 5000 });
    expect(await rewrite('none')).toEqual({ beforeBytes: 5000, afterBytes: 8000 });
    const signal = AbortSignal.abort();
    await expect(storage.rewrite({ id, compression: 'lzo', signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(await storage.find(id)).toMatchObject({ usedBytes: 8000 });
  });

  it('is as well as a test says, and writes nothing while read-only', async () => {
    const storage = createMemoryStorage({ clock });
    storage.disk.health = { state: 'read-only', reason: 'a test says so' };
    expect(await storage.health()).toEqual(storage.disk.health);
    await expect(storage.create({ id, quotaBytes: 8192 })).rejects.toMatchObject({ code: 'io' });
    expect(await storage.list()).toEqual([]);
    storage.disk.health = { state: 'ok', reason: null };
    await storage.create({ id, quotaBytes: 8192 });
  });

  it('fails on demand also where streams begin and end', async () => {
    const [storage, second] = [createMemoryStorage({ clock }), createMemoryStorage({ clock })];
    const copy = { id, name: '00000000000000cd-0' };
    await storage.create({ id, quotaBytes: 8192 });
    await storage.freeze(copy);
    storage.failNext('send');
    await expect(second.receive(copy, storage.send(copy))).rejects.toMatchObject({ code: 'io' });
    second.failNext('receive');
    await expect(second.receive(copy, storage.send(copy))).rejects.toMatchObject({ code: 'io' });
    expect(await second.copies()).toEqual([]);
    await second.receive(copy, storage.send(copy));
    expect(await second.copies()).toEqual([copy]);
  });

  it('leaves no complete copy when a daemon dies while it receives', async () => {
    const disk = createMemoryDisk({ totalBytes: 100_000 });
    const copy = { id, name: '00000000000000cd-0' };
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      await new Promise(() => {});
      yield new Uint8Array();
    };
    void createMemoryStorage({ clock, disk }).receive(copy, silent());
    await waitFor({
      clock,
      what: 'the copy',
      timeoutMs: 1000,
      probe: async () => disk.copies.size || undefined,
    });
    const next = createMemoryStorage({ clock, disk });
    expect(await next.copies()).toEqual([]);
    await next.discard(copy);
    expect(disk.copies.size).toBe(0);
  });
});
