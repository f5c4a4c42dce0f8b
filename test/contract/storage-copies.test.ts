// What every node's disk does with clones and copies, whichever backend it is.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Copy, Storage } from '../../src/storage/storage.ts';
import { backends, type StorageRig } from './support/storage-backends.ts';
import type { Fate } from './support/transfer.ts';

const MIB = 1024 ** 2;
const START_TIMEOUT_MS = 60_000;
// Every call starts processes in a container; a busy machine takes its time.
jest.setTimeout(START_TIMEOUT_MS);

describe.each(backends)('storage: $name', ({ start }) => {
  let rig: StorageRig;
  let storage: Storage;
  let second: Storage;
  let made = 0;
  const newId = (): string => `v${(++made).toString(16).padStart(16, '0')}`;
  const newVolume = async (files: Readonly<Record<string, string>> = {}): Promise<string> => {
    const id = newId();
    await storage.create({ id, quotaBytes: 64 * MIB });
    for (const [path, text] of Object.entries(files)) await rig.write(id, path, text);
    return id;
  };
  const copyOf = (id: string, number = 0): Copy => ({ id, name: `00000000000000ab-${number}` });
  const digestsOf = (copy: Copy): Promise<readonly string[]> =>
    Promise.all([storage.digest(copy), second.digest(copy)]);

  beforeAll(async () => {
    rig = await start();
    ({ storage, second } = rig);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  }, START_TIMEOUT_MS);

  describe('clones', () => {
    it('have what their parent has, and from then on their own', async () => {
      const parentId = await newVolume({ a: 'one', 'folder/b': 'two' });
      const id = newId();
      await storage.clone({ id, parentId, quotaBytes: 32 * MIB });
      expect(await rig.read(id)).toEqual({ a: 'one', 'folder/b': 'two' });
      await rig.write(id, 'a', 'changed in the clone');
      await rig.write(parentId, 'folder/b', 'changed in the parent');
      expect(await rig.read(parentId)).toEqual({ a: 'one', 'folder/b': 'changed in the parent' });
      expect(await rig.read(id)).toEqual({ a: 'changed in the clone', 'folder/b': 'two' });
    });

    it('have their own quota, and keep what they have when told again', async () => {
      const parentId = await newVolume({ a: 'one' });
      const id = newId();
      await storage.clone({ id, parentId, quotaBytes: 32 * MIB });
      await rig.write(id, 'a', 'mine');
      await storage.clone({ id, parentId, quotaBytes: 48 * MIB });
      expect(await rig.read(id)).toEqual({ a: 'mine' });
      expect(await storage.find(id)).toMatchObject({ quotaBytes: 48 * MIB });
      expect(await storage.find(parentId)).toMatchObject({ quotaBytes: 64 * MIB });
    });

    it('live on without their parent, and need one to begin with', async () => {
      const parentId = await newVolume({ a: 'one' });
      const id = newId();
      await storage.clone({ id, parentId, quotaBytes: 32 * MIB });
      await storage.trash(parentId);
      await storage.purgeTrash({ olderThanMs: 0 });
      expect(await rig.read(id)).toEqual({ a: 'one' });
      await storage.clone({ id, parentId, quotaBytes: 32 * MIB });
      const orphan = storage.clone({ id: newId(), parentId, quotaBytes: MIB });
      await expect(orphan).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  describe('copies', () => {
    it('are of one moment, no volumes, and kept when frozen again', async () => {
      const id = await newVolume({ a: 'then' });
      const copy = copyOf(id);
      await storage.freeze(copy);
      const then = await storage.digest(copy);
      await rig.write(id, 'a', 'now');
      await storage.freeze(copy);
      expect(await storage.digest(copy)).toBe(then);
      await storage.freeze(copyOf(id, 1));
      expect(await storage.digest(copyOf(id, 1))).not.toBe(then);
      expect((await storage.copies()).filter((found) => found.id === id)).toEqual([copy, copyOf(id, 1)]);
      expect((await storage.list()).filter((found) => found.id === id)).toHaveLength(1);
    });

    it('are gone when discarded, however often', async () => {
      const copy = copyOf(await newVolume());
      await storage.discard(copy);
      await storage.freeze(copy);
      await storage.discard(copy);
      await storage.discard(copy);
      expect(await storage.copies()).not.toContainEqual(copy);
      await expect(storage.digest(copy)).rejects.toMatchObject({ code: 'not_found' });
      await expect(storage.freeze(copyOf(newId()))).rejects.toMatchObject({ code: 'not_found' });
    });

    it('outlive their volume', async () => {
      const copy = copyOf(await newVolume({ a: 'one' }));
      await storage.freeze(copy);
      await storage.trash(copy.id);
      await storage.purgeTrash({ olderThanMs: 0 });
      await storage.adopt(copy, { quotaBytes: 16 * MIB });
      expect(await rig.read(copy.id)).toEqual({ a: 'one' });
    });

    it.each<{ what: string; change: (id: string) => Promise<void> }>([
      { what: 'a byte', change: (id) => rig.write(id, 'a', 'onf') },
      { what: 'the length', change: (id) => rig.write(id, 'a', 'one ') },
      { what: 'the presence of an empty file', change: (id) => rig.write(id, 'empty', '') },
      {
        what: 'a name',
        change: async (id) => {
          await rig.remove(id, 'a');
          await rig.write(id, 'b', 'one');
        },
      },
      {
        what: 'the border between a name and its content',
        change: async (id) => {
          await rig.remove(id, 'a');
          await rig.write(id, 'ao', 'ne');
        },
      },
    ])('differ in their digest when $what differs', async ({ change }) => {
      const id = await newVolume({ a: 'one' });
      await storage.freeze(copyOf(id));
      await storage.freeze(copyOf(id, 1));
      await change(id);
      await storage.freeze(copyOf(id, 2));
      const [first, same, other] = await Promise.all([0, 1, 2].map((n) => storage.digest(copyOf(id, n))));
      expect(same).toBe(first);
      expect(other).not.toBe(first);
      expect(first).toMatch(/^[0-9a-f]{64}$/);
    });
  });

  describe('a move', () => {
    it('carries everything to another disk, whole and then by differences', async () => {
      const id = await newVolume({ a: 'one', 'folder/b': 'two', c: 'x'.repeat(30_000) });
      await storage.freeze(copyOf(id));
      const wholeBytes = await rig.transfer({ copy: copyOf(id) });
      await rig.write(id, 'a', 'changed');
      await rig.remove(id, 'folder/b');
      await storage.freeze(copyOf(id, 1));
      const { name: base } = copyOf(id);
      const changedBytes = await rig.transfer({ copy: copyOf(id, 1), base });
      expect(changedBytes).toBeLessThan(wholeBytes);
      for (const copy of [copyOf(id), copyOf(id, 1)]) {
        const [here, there] = await digestsOf(copy);
        expect(there).toBe(here);
      }
      expect(await second.copies()).toEqual(expect.arrayContaining([copyOf(id), copyOf(id, 1)]));

      await second.adopt(copyOf(id, 1), { quotaBytes: 48 * MIB });
      expect(await rig.read(id, 'second')).toMatchObject({ a: 'changed', c: 'x'.repeat(30_000) });
      expect(await second.find(id)).toMatchObject({ quotaBytes: 48 * MIB });
      await second.discard(copyOf(id));
      await second.discard(copyOf(id, 1));
      expect(await rig.read(id, 'second')).toMatchObject({ a: 'changed' });
    });

    it('is refused where the copy is already, which stays as it is', async () => {
      const copy = copyOf(await newVolume({ a: 'one' }));
      await storage.freeze(copy);
      await rig.transfer({ copy });
      for (const fate of ['whole', 'cut', 'broken', 'empty'] as const) {
        await expect(rig.transfer({ copy, fate })).rejects.toMatchObject({ code: 'conflict' });
      }
      const [here, there] = await digestsOf(copy);
      expect(there).toBe(here);
    });

    it('goes back again', async () => {
      const id = await newVolume({ a: 'one' });
      await storage.freeze(copyOf(id));
      await rig.transfer({ copy: copyOf(id) });
      await second.adopt(copyOf(id), { quotaBytes: 64 * MIB });
      await storage.trash(id);
      await second.freeze(copyOf(id, 1));
      await rig.transferBack({ copy: copyOf(id, 1) });
      await storage.adopt(copyOf(id, 1), { quotaBytes: 64 * MIB });
      expect(await rig.read(id)).toEqual({ a: 'one' });
    });

    it.each<Fate>(['cut', 'broken', 'empty'])('leaves nothing when its stream is %s', async (fate) => {
      const copy = copyOf(await newVolume({ a: 'one', b: 'y'.repeat(10_000) }));
      await storage.freeze(copy);
      const code = fate === 'broken' ? 'unavailable' : 'io';
      await expect(rig.transfer({ copy, fate })).rejects.toMatchObject({ code });
      expect(await second.copies()).not.toContainEqual(copy);
      await expect(second.digest(copy)).rejects.toMatchObject({ code: 'not_found' });
      const adopted = second.adopt(copy, { quotaBytes: MIB });
      await expect(adopted).rejects.toMatchObject({ code: 'not_found' });
      expect(await second.find(copy.id)).toBeUndefined();
      await rig.transfer({ copy });
      const [here, there] = await digestsOf(copy);
      expect(there).toBe(here);
    });

    it('shows no copy that a crash cut short, and begins it anew', async () => {
      const copy = copyOf(await newVolume({ a: 'one' }));
      await storage.freeze(copy);
      await rig.leavePartial(copy);
      expect(await second.copies()).not.toContainEqual(copy);
      await expect(second.adopt(copy, { quotaBytes: MIB })).rejects.toMatchObject({ code: 'not_found' });
      await rig.transfer({ copy });
      const [here, there] = await digestsOf(copy);
      expect(there).toBe(here);
      const other = copyOf(copy.id, 1);
      await rig.leavePartial(other);
      await second.discard(other);
      await storage.freeze(other);
      await rig.transfer({ copy: other, base: copy.name });
    });

    it('leaves no half of a copy for good, and sweeps only those', async () => {
      const id = await newVolume({ a: 'one' });
      await storage.freeze(copyOf(id));
      await rig.transfer({ copy: copyOf(id) });
      await rig.leavePartial(copyOf(id, 1));
      expect(await rig.leftovers(id)).toEqual([copyOf(id).name, copyOf(id, 1).name]);
      expect(await second.purgeTrash({ olderThanMs: 3_600_000 })).toBe(0);
      expect(await rig.leftovers(id)).toEqual([copyOf(id).name]);
    });

    it('is not disturbed by a purge', async () => {
      const copy = copyOf(await newVolume({ a: 'one', b: 'z'.repeat(20_000) }));
      await storage.freeze(copy);
      expect(await rig.transfer({ copy, fate: 'purged' })).toBeGreaterThan(0);
      const [here, there] = await digestsOf(copy);
      expect(there).toBe(here);
    });

    it('fails by differences from a copy that the other disk does not have', async () => {
      const id = await newVolume({ a: 'one' });
      await storage.freeze(copyOf(id));
      await rig.write(id, 'a', 'two');
      await storage.freeze(copyOf(id, 1));
      const moved = rig.transfer({ copy: copyOf(id, 1), base: copyOf(id).name });
      await expect(moved).rejects.toMatchObject({ code: 'io' });
      expect(await second.copies()).not.toContainEqual(copyOf(id, 1));
    });

    it('adopts once, and never over a volume that is there', async () => {
      const id = await newVolume({ a: 'one' });
      await storage.freeze(copyOf(id));
      await rig.write(id, 'a', 'written since');
      await storage.adopt(copyOf(id), { quotaBytes: 32 * MIB });
      expect(await rig.read(id)).toEqual({ a: 'written since' });
      expect(await storage.find(id)).toMatchObject({ quotaBytes: 32 * MIB });
      await storage.discard(copyOf(id));
      await storage.adopt(copyOf(id), { quotaBytes: 16 * MIB });
      expect(await storage.find(id)).toMatchObject({ quotaBytes: 16 * MIB });
    });

    it('has nothing to send of what is not there', async () => {
      const copy = copyOf(await newVolume());
      await expect(rig.abandon(copy)).rejects.toMatchObject({ code: 'not_found' });
      await storage.freeze(copy);
      expect(await rig.abandon(copy)).toBeGreaterThan(0);
      const moved = rig.transfer({ copy, base: copyOf(copy.id, 7).name });
      await expect(moved).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  it('frees space by compressing, and takes it again without', async () => {
    const id = await newVolume({ a: 'one' });
    await rig.fill(id, 'text', 8 * MIB);
    await storage.freeze(copyOf(id));
    const compressed = await storage.rewrite({ id, compression: 'zstd:3' });
    expect(compressed.beforeBytes).toBeGreaterThanOrEqual(8 * MIB);
    expect(compressed.afterBytes).toBeLessThan(6 * MIB);
    const defragmented = await storage.rewrite({ id, compression: null });
    expect(defragmented.afterBytes).toBeLessThan(6 * MIB);
    const plain = await storage.rewrite({ id, compression: 'none' });
    expect(plain.afterBytes).toBeGreaterThanOrEqual(8 * MIB);
    await storage.freeze(copyOf(id, 1));
    expect(await storage.digest(copyOf(id, 1))).toBe(await storage.digest(copyOf(id)));
    const missing = storage.rewrite({ id: newId(), compression: null });
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is well', async () => {
    expect(await storage.health()).toEqual({ state: 'ok', reason: null });
  });

  const ID = 'v00000000000000ff';
  const NAME = '00000000000000ab-0';
  it.each([
    { id: ID, name: '../x' },
    { id: ID, name: '' },
    { id: ID, name: `${NAME}/..` },
    { id: '../etc', name: NAME },
    { id: `${ID}/x`, name: NAME },
  ])('refuses %j, which is no copy', async (copy) => {
    const refusal = { code: 'invalid', definite: true };
    await expect(storage.freeze(copy)).rejects.toMatchObject(refusal);
    await expect(storage.digest(copy)).rejects.toMatchObject(refusal);
    await expect(storage.adopt(copy, { quotaBytes: MIB })).rejects.toMatchObject(refusal);
    await expect(storage.discard(copy)).rejects.toMatchObject(refusal);
    await expect(rig.abandon(copy)).rejects.toMatchObject(refusal);
    await expect(rig.transfer({ copy })).rejects.toMatchObject(refusal);
  });

  it('refuses what is no base, no parent, no compression and no quota', async () => {
    const refusal = { code: 'invalid', definite: true };
    const copy = copyOf(await newVolume());
    await storage.freeze(copy);
    await expect(rig.transfer({ copy, base: '../x' })).rejects.toMatchObject(refusal);
    const { id } = copy;
    const clone = (parentId: string, quotaBytes: number) =>
      storage.clone({ id: newId(), parentId, quotaBytes });
    await expect(clone('..', MIB)).rejects.toMatchObject(refusal);
    await expect(clone(id, 0.5)).rejects.toMatchObject(refusal);
    const rewritten = storage.rewrite({ id, compression: '-x' as 'lzo' });
    await expect(rewritten).rejects.toMatchObject(refusal);
  });
});
