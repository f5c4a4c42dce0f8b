import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
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
});
