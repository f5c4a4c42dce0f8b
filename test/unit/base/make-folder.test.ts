import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeFolder } from '../../../src/base/make-folder.ts';

describe('a folder', () => {
  it('is made with all that are above it, and twice', () => {
    const root = mkdtempSync(join(tmpdir(), 'cobalt-rig-folder-'));
    makeFolder(join(root, 'a/b/c'));
    makeFolder(join(root, 'a/b/c'));
    expect(existsSync(join(root, 'a/b/c'))).toBe(true);
    writeFileSync(join(root, 'file'), '');
    expect(() => makeFolder(join(root, 'file/below'))).toThrow('ENOTDIR');
    rmSync(root, { recursive: true });
  });

  it('is refused where there can be none, instead of tried for ever', () => {
    expect(() => makeFolder('/proc/cobalt/runs')).toThrow('ENOENT');
  });
});
