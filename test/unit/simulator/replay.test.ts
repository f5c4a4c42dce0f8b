import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import { HISTORY_FILE } from '../../../src/rig/record-files.ts';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'replay-'));
});
afterEach(() => rmSync(out, { recursive: true }));

const rig = (...args: readonly string[]) =>
  execa(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...args], { reject: false });

it('comes to the same, and says so when it does not', async () => {
  const ran = await rig('run', 'export-created', '--mode', 'simulated', '--seed', '5', '--out', out);
  expect(ran.exitCode).toBe(0);
  const folder = join(out, readdirSync(out)[0] ?? '');
  const same = await rig('replay', folder);
  expect([same.exitCode, same.stdout]).toEqual([
    0,
    expect.stringContaining('the same as before, byte by byte'),
  ]);
  appendFileSync(join(folder, HISTORY_FILE), '{}\n');
  const other = await rig('replay', folder);
  expect([other.exitCode, other.stdout]).toEqual([3, expect.stringContaining('not the same')]);
});

it.each([
  [['--mode', 'hosts'], /there is no mode 'hosts'/],
  [['--seeds', '1..2'], /--seeds are for --mode simulated/],
  [['--mode', 'simulated', '--seeds', '2..1'], /'2..1' are no seeds/],
  [['--mode', 'simulated', '--keep'], /never stays/],
])('is refused with %j', async (flags, words) => {
  const { exitCode, stderr } = await rig('run', 'export-created', ...flags);
  expect([exitCode, stderr]).toEqual([3, expect.stringMatching(words)]);
});
