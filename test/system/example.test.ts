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

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, args, { cwd: folder, reject: false, all: true, env });
const runTests = (env?: Readonly<Record<string, string>>) =>
  run(['--experimental-vm-modules', join(PACKAGES, 'jest/bin/jest.js'), '--ci', '--verbose'], env);

it('passes the type check and the tests of the example', async () => {
  const typed = await run([join(PACKAGES, 'typescript/bin/tsc')]);
  expect([typed.exitCode, typed.all]).toEqual([0, '']);
  const tested = await runTests();
  expect([tested.exitCode, tested.all]).toEqual([0, expect.stringMatching(/Tests: .*\b[23] passed/)]);
}, 600_000);

it('shows tests in a mode that cannot be had as skipped, with the reason', async () => {
  const { exitCode, all } = await runTests({ DOCKER_HOST: 'unix:///nonexistent/docker.sock' });
  expect(all).toMatch(/containers can't be had here: no Docker Engine answers at unix:\/\/\/nonexistent/);
  expect([exitCode, all]).toEqual([0, expect.stringMatching(/Tests: +1 skipped, 2 passed/)]);
}, 120_000);

it('has the command line', async () => {
  const main = join(folder, 'node_modules/cobalt-rig/dist/cli/main.js');
  const args = ['run', 'export-created', '--mode', 'simulated', '--seed', '1', '--out', join(folder, 'runs')];
  const { exitCode, stdout } = await execa(process.execPath, [main, ...args], { cwd: folder, reject: false });
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('1 valid, 0 invalid, 0 unknown')]);
}, 120_000);
