// The package as others get it: packed, unpacked elsewhere, and used by a project of its own.

import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const PACKAGES = join(ROOT_FOLDER, 'node_modules');
let folder: string;

/** As `npm install` would leave it, but for packages that are taken from where this repository has them: nothing is fetched. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cobalt-rig-example-'));
  await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT_FOLDER });
  const [tarball = ''] = await readdir(folder);
  const installed = join(folder, 'node_modules');
  await mkdir(installed);
  await execa('tar', ['-xzf', join(folder, tarball), '-C', folder]);
  await cp(join(ROOT_FOLDER, 'test/examples'), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  for (const name of await readdir(PACKAGES)) {
    if (!name.startsWith('.')) await symlink(join(PACKAGES, name), join(installed, name));
  }
  await cp(join(folder, 'package'), join(installed, 'cobalt-rig'), { recursive: true });
  await rm(join(folder, 'package'), { recursive: true });
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

it('passes the type check and the tests of the example', async () => {
  const node = process.execPath;
  const run = (...args: readonly string[]) => execa(node, args, { cwd: folder, reject: false, all: true });
  const typed = await run(join(PACKAGES, 'typescript/bin/tsc'));
  expect([typed.exitCode, typed.all]).toEqual([0, '']);
  const tested = await run('--experimental-vm-modules', join(PACKAGES, 'jest/bin/jest.js'), '--ci');
  expect(tested.all).toContain('✓ has its data back when its node is');
  expect(tested.all).toMatch(/Tests: .*\b[23] passed/);
  expect([tested.exitCode, tested.all]).toEqual([0, expect.not.stringContaining('failed')]);
}, 600_000);

it('has the command line', async () => {
  const main = join(folder, 'node_modules/cobalt-rig/dist/cli/main.js');
  const args = ['run', 'export-created', '--mode', 'simulated', '--seed', '1', '--out', join(folder, 'runs')];
  const { exitCode, stdout } = await execa(process.execPath, [main, ...args], { cwd: folder, reject: false });
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('1 valid, 0 invalid, 0 unknown')]);
}, 120_000);
