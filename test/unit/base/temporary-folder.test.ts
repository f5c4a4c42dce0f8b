import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startOf } from '../../../src/base/process-start.ts';
import { removeAbandonedFolders, withTemporaryFolder } from '../../../src/base/temporary-folder.ts';

let own: string;

beforeEach(() => {
  own = mkdtempSync(join(tmpdir(), 'temporary-'));
});

afterEach(() => {
  rmSync(own, { recursive: true });
});

describe('a temporary folder', () => {
  it('is there for as long as it is used, and gone when that fails', async () => {
    let seen = '';
    const use = async (folder: string): Promise<never> => {
      seen = folder;
      writeFileSync(join(folder, 'file'), '');
      throw new Error('no');
    };
    await expect(withTemporaryFolder('test', use, own)).rejects.toThrow('no');
    expect(seen).toMatch(new RegExp(`^${own}/cobalt-rig-test-${process.pid}-`));
    expect(existsSync(seen)).toBe(false);
  });

  it('of a process that is no more is removed, and no other', async () => {
    const start = startOf(process.pid) ?? '';
    const dead = `cobalt-rig-test-${process.pid}-1${start}-abcdef`;
    const names = [dead, `cobalt-rig-test-${process.pid}-${start}-abcdef`, `other-${process.pid}-1-abcdef`];
    for (const name of names) mkdirSync(join(own, name));
    expect(await removeAbandonedFolders(own)).toEqual([dead]);
    expect(names.map((name) => existsSync(join(own, name)))).toEqual([false, true, true]);
  });
});
