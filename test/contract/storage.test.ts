// What every node's disk does, whichever backend it is.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { backends, type StorageRig } from './support/storage-backends.ts';

const MIB = 1024 ** 2;
const BINDING = { cluster: 'cdf8-1', node: 'a', disk: '0f'.repeat(16), mark: 0, revision: 7 };
const START_TIMEOUT_MS = 60_000;
// Every call starts processes in a container; a busy machine takes its time.
jest.setTimeout(START_TIMEOUT_MS);

describe.each(backends)('storage: $name', ({ start }) => {
  let rig: StorageRig;
  let storage: Storage;
  let made = 0;
  const newId = (): string => `v${(++made).toString(16).padStart(16, '0')}`;
  const quotaOf = async (id: string): Promise<number | null | undefined> =>
    (await storage.list()).find((subvolume) => subvolume.id === id)?.quotaBytes;

  beforeAll(async () => {
    rig = await start();
    storage = rig.storage;
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  }, START_TIMEOUT_MS);

  it('starts with nothing on it and belongs to no cluster', async () => {
    expect(await storage.list()).toEqual([]);
    expect(await storage.binding()).toBeNull();
    expect(await storage.purgeTrash({ olderThanMs: 0 })).toBe(0);
  });

  it('says how large it is and what is left', async () => {
    const { totalBytes, availableBytes } = await storage.space();
    expect(totalBytes).toBe(2048 * MIB);
    expect(availableBytes).toBeGreaterThan(1024 * MIB);
    expect(availableBytes).toBeLessThanOrEqual(totalBytes);
  });

  it('makes a subvolume with its quota', async () => {
    const id = newId();
    await storage.create({ id, quotaBytes: 64 * MIB });
    const found = (await storage.list()).find((subvolume) => subvolume.id === id);
    expect(found).toEqual({ id, quotaBytes: 64 * MIB, usedBytes: expect.any(Number) });
    expect(found?.usedBytes).toBeLessThan(MIB);
  });

  it('makes it once, however often it is told to, and takes the last quota', async () => {
    const id = newId();
    await storage.create({ id, quotaBytes: 64 * MIB });
    await storage.create({ id, quotaBytes: 32 * MIB });
    expect((await storage.list()).filter((subvolume) => subvolume.id === id)).toHaveLength(1);
    expect(await quotaOf(id)).toBe(32 * MIB);
  });

  it('finishes a creation that a crash cut short', async () => {
    const id = newId();
    await rig.leaveUnlimited(id);
    expect(await quotaOf(id)).toBeNull();
    await storage.create({ id, quotaBytes: 16 * MIB });
    expect(await quotaOf(id)).toBe(16 * MIB);
  });

  it('grows and shrinks a quota, and may be told twice', async () => {
    const id = newId();
    await storage.create({ id, quotaBytes: 64 * MIB });
    for (const quotaBytes of [128 * MIB, 128 * MIB, 16 * MIB]) {
      await storage.setQuota({ id, quotaBytes });
      expect(await quotaOf(id)).toBe(quotaBytes);
    }
  });

  it('finds one subvolume as the list has it, and none that is not there', async () => {
    const ids = [newId(), newId(), newId()] as const;
    await storage.create({ id: ids[0], quotaBytes: 64 * MIB });
    await storage.create({ id: ids[1], quotaBytes: 32 * MIB });
    await rig.leaveUnlimited(ids[2]);
    for (const id of ids) {
      const listed = (await storage.list()).find((subvolume) => subvolume.id === id);
      expect(await storage.find(id)).toEqual(listed);
      expect(listed).toBeDefined();
    }
    await storage.trash(ids[0]);
    expect(await storage.find(ids[0])).toBeUndefined();
    expect(await storage.find(newId())).toBeUndefined();
    expect(await storage.purgeTrash({ olderThanMs: 0 })).toBe(1);
  });

  it('has no quota for what is not there', async () => {
    await expect(storage.setQuota({ id: newId(), quotaBytes: MIB })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('trashes out of sight, purges only what is old enough, and then for good', async () => {
    const id = newId();
    await storage.create({ id, quotaBytes: 16 * MIB });
    await storage.trash(id);
    expect(await quotaOf(id)).toBeUndefined();
    await storage.trash(id);
    expect(await storage.purgeTrash({ olderThanMs: 3_600_000 })).toBe(0);
    expect(await storage.purgeTrash({ olderThanMs: 0 })).toBe(1);
    expect(await storage.purgeTrash({ olderThanMs: 0 })).toBe(0);
  });

  it('makes a trashed subvolume anew, and keeps both apart', async () => {
    const id = newId();
    await storage.create({ id, quotaBytes: 16 * MIB });
    await storage.trash(id);
    await storage.create({ id, quotaBytes: 32 * MIB });
    await storage.trash(id);
    expect(await storage.purgeTrash({ olderThanMs: 0 })).toBe(2);
    expect(await quotaOf(id)).toBeUndefined();
  });

  it('belongs where it was bound to last, also under the next daemon', async () => {
    await storage.bind(BINDING);
    await storage.bind({ ...BINDING, mark: 4 });
    await storage.bind({ ...BINDING, mark: 4 });
    expect(await rig.restarted().binding()).toEqual({ ...BINDING, mark: 4 });
  });

  it.each([{ cluster: '../x' }, { node: 'A b' }, { disk: '1' }, { mark: -1 }, { revision: 0.5 }])(
    'refuses to be bound with %j',
    async (wrong) => {
      await expect(storage.bind({ ...BINDING, ...wrong })).rejects.toMatchObject({ code: 'invalid' });
    },
  );

  it.each(['', '..', '../etc', 'v123', 'v00000000000000ZZ', `v${'0'.repeat(16)}/x`, '-v'])(
    'refuses %j, which is no id',
    async (id) => {
      const refusal = { code: 'invalid', definite: true };
      await expect(storage.create({ id, quotaBytes: MIB })).rejects.toMatchObject(refusal);
      await expect(storage.setQuota({ id, quotaBytes: MIB })).rejects.toMatchObject(refusal);
      await expect(storage.trash(id)).rejects.toMatchObject(refusal);
      await expect(storage.find(id)).rejects.toMatchObject(refusal);
    },
  );

  it.each([0, -1, 1.5, Number.NaN])('refuses a quota of %p bytes', async (quotaBytes) => {
    await expect(storage.create({ id: newId(), quotaBytes })).rejects.toMatchObject({ code: 'invalid' });
  });
});
