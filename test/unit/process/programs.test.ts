import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { daemonEntry, findEtcd, findFakeTime, PROGRAMS_FOLDER } from '../../../src/process/programs.ts';
import { parseTopology } from '../../../src/rig/topology.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(path: string, says: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('etcd', () => {
  it('is the one that is named, then the first on the path, then the one that was fetched', async () => {
    const fetched = program(`${PROGRAMS_FOLDER}/usr/bin/etcd`, 'etcd Version: 3.4.1');
    expect(await findEtcd({ searchPath: '', root: folder })).toEqual({ path: fetched, version: '3.4.1' });
    const onPath = program('bin/etcd', 'etcd Version: 3.5.16');
    const searchPath = `/nowhere:${join(folder, 'bin')}`;
    expect(await findEtcd({ searchPath, root: folder })).toEqual({ path: onPath, version: '3.5.16' });
    const named = program('mine', 'etcd Version: 3.6.0-rc.1');
    expect(await findEtcd({ named, searchPath, root: folder })).toEqual({
      path: named,
      version: '3.6.0-rc.1',
    });
  });

  it.each([
    ['is nowhere', '', undefined, /no etcd on the PATH/],
    ['is too old', 'etcd Version: 3.3.25', 'old', /3\.3\.25; 3\.4 is the oldest/],
    ['is something else', 'v22.1.0', 'other', /is no etcd: v22/],
    ['is no program', '', 'none', /none is no program/],
  ])('that %s is refused', async (_why, says, named, message) => {
    if (named !== undefined && says !== '') program(named, says);
    const wanted = findEtcd({ named: named && join(folder, named), searchPath: '', root: folder });
    await expect(wanted).rejects.toMatchObject({
      code: 'machine',
      message: expect.stringMatching(message),
      next: expect.stringContaining('etcd-server'),
    });
  });
});

it('takes no libfaketime from where the linker would not find it', () => {
  const spaced = join(folder, 'with space');
  for (const root of [folder, spaced]) {
    const place = join(root, PROGRAMS_FOLDER, 'usr/lib/any/faketime');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'libfaketimeMT.so.1'), '');
  }
  expect(findFakeTime(folder)).toMatch(/libfaketimeMT\.so\.1$/);
  expect(findFakeTime(spaced) ?? '').not.toContain('with space');
});

describe("the daemon's entry", () => {
  const entry = (system?: unknown): string =>
    daemonEntry(
      parseTopology({ nodes: [{ name: 'node1' }], ...(system !== undefined && { system }) }, 'test'),
      process.cwd(),
    );
  it('is that of these sources, of a checkout, or a file', () => {
    const own = join(process.cwd(), 'src/daemon/main.ts');
    expect(entry()).toBe(own);
    expect(entry({ kind: 'path', path: process.cwd() })).toBe(own);
    expect(entry({ kind: 'path', path: './src/daemon/main.ts' })).toBe(own);
  });

  it('is none of an image, or where there is nothing', () => {
    expect(() => entry({ kind: 'image', image: 'cobalt:1.2' })).toThrow('not of the image cobalt:1.2');
    expect(() => entry({ kind: 'path', path: folder })).toThrow(`no daemon at ${folder}/src/daemon/main.ts`);
    expect(() => entry({ kind: 'path', path: 'cobalt' })).toThrow('must be a path');
  });
});
