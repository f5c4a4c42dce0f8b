// scripts/rig, as somebody calls it from where they are.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

it('takes the paths that it is given for those of whoever calls it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-entry-'));
  mkdirSync(join(folder, 'mine'));
  try {
    const rig = (...words: readonly string[]) =>
      execa(join(ROOT_FOLDER, 'scripts/rig'), words, { cwd: folder, reject: false });
    expect(await rig('summary', 'mine')).toMatchObject({ exitCode: 0, stdout: 'No run was recorded.' });
    expect(await rig('summary', 'src')).toMatchObject({ exitCode: 3 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 30_000);
