// That the threads of simulated runs keep what they have compiled, and use what was kept: by what Node.js tells of it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

/** What Node.js says about a file that only such threads load. */
async function toldOfThread(out: string): Promise<string> {
  const main = join(ROOT_FOLDER, 'src/cli/main.ts');
  const args = [main, 'run', 'export-created', '--mode', 'simulated', '--out', out];
  const { stderr } = await execa(process.execPath, args, {
    env: { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    stdin: 'ignore',
  });
  return stderr
    .split('\n')
    .filter((line) => line.includes(' ESM ') && line.includes('/src/simulator/world.ts'))
    .join('\n');
}

it('is kept by the threads of simulated runs, and used by later ones', async () => {
  const out = mkdtempSync(join(tmpdir(), 'compile-cache-'));
  try {
    // Now there is something kept, whoever ran before.
    await toldOfThread(out);
    expect(await toldOfThread(out)).toMatch(/^\[compile cache\] V8 code cache for .* was accepted/m);
  } finally {
    rmSync(out, { recursive: true });
  }
});
