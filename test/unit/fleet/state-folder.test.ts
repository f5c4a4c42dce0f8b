import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { powered, STATE_VERSION } from '../../../src/fleet/cluster.ts';
import {
  changeCluster,
  clusterFile,
  createCluster,
  lockRun,
  readCluster,
  runningIn,
} from '../../../src/fleet/cluster-file.ts';
import { openDiskFiles } from '../../../src/fleet/disk-files.ts';
import { createMemoryStorage } from '../../../src/storage/memory.ts';
import { clusterOf } from './clusters.ts';

const A = 'v00000000000000aa';
const B = 'v00000000000000bb';
const GIB = 1024 ** 3;

const clock = createSystemClock();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-folder-'));
});

afterEach(() => rm(folder, { recursive: true }));

const failure = async (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the folder of a simulated cluster', () => {
  it('keeps what is declared, and takes changes that are made at the same time', async () => {
    await createCluster(folder, clusterOf(3));
    await Promise.all(
      ['sim-00001', 'sim-00003'].map((name) =>
        changeCluster(folder, clock, (cluster) => powered(cluster, 'off', [name])),
      ),
    );
    expect((await readCluster(folder)).nodes.map(({ power }) => power)).toEqual(['off', 'on', 'off']);
    expect(await readdir(folder)).toEqual(['cluster.json']);
  });

  it('is not made where there is one, nor read where there is none', async () => {
    expect(await failure(readCluster(folder))).toMatchObject({ code: 'not_found' });
    await createCluster(folder, clusterOf(1));
    expect(await failure(createCluster(folder, clusterOf(2)))).toMatchObject({ code: 'conflict' });
    expect((await readCluster(folder)).nodes).toHaveLength(1);
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, text.length / 2), 'cut short'],
    ['of another version', (text: string) => text.replace('"version": 1', '"version": 2'), 'is of version 2'],
    ['empty', () => '', 'cut short'],
    ['nonsense', () => '[]', 'is of version null'],
    ['with a field that is wrong', (text: string) => text.replace('"on"', '"perhaps"'), 'nodes.0.power'],
  ])('refuses a file that is %s, and leaves it as it is', async (_what, spoil, said) => {
    await createCluster(folder, clusterOf(1));
    const path = clusterFile(folder);
    const spoilt = spoil(await readFile(path, 'utf8'));
    await writeFile(path, spoilt);
    expect(await failure(readCluster(folder))).toMatchObject({
      code: 'machine',
      message: expect.stringContaining(said),
    });
    expect(
      await failure(changeCluster(folder, clock, (cluster) => powered(cluster, 'off', null))),
    ).toMatchObject({
      code: 'machine',
    });
    expect(await readFile(path, 'utf8')).toBe(spoilt);
  });

  it('is run by one process at a time, and by another once that is dead', async () => {
    const lock = await lockRun(folder);
    expect(await failure(lockRun(folder))).toMatchObject({ code: 'conflict' });
    await lock.tell({ url: 'http://127.0.0.1:1', etcd: ['http://127.0.0.1:2'], api: null });
    expect(await runningIn(folder)).toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:1' });
    await lock[Symbol.asyncDispose]();
    expect(await runningIn(folder)).toBeUndefined();
    // Left behind by one that was killed: no process has that number.
    await writeFile(join(folder, 'running.json'), '{"pid":999999999,"url":null,"etcd":[],"api":null}');
    expect(await runningIn(folder)).toBeUndefined();
    await using _again = await lockRun(folder);
    expect(await runningIn(folder)).toMatchObject({ pid: process.pid });
  });
});

describe('the disks of a simulated cluster', () => {
  it('are what they were', async () => {
    const files = await openDiskFiles(join(folder, 'disks'));
    const disk = files.open('sim-1', 80 * GIB);
    const storage = createMemoryStorage({ clock, disk });
    await storage.bind({ cluster: '1-ab', node: 'sim-1', disk: '0'.repeat(32), mark: 3, revision: 7 });
    await storage.create({ id: A, quotaBytes: GIB });
    await storage.create({ id: B, quotaBytes: GIB });
    disk.subvolumes.get(A)?.files.set('/f', 'text');
    await storage.freeze({ id: A, name: '0123456789abcdef-1' });
    await storage.trash(B);
    disk.health = { state: 'failing', reason: 'it is old' };
    await files.written('sim-1');
    const again = (await openDiskFiles(join(folder, 'disks'))).open('sim-1', GIB);
    expect(again).toEqual(disk);
  });

  it('are new for a node that is new, and gone for one that was removed', async () => {
    const files = await openDiskFiles(join(folder, 'disks'));
    files.open('sim-1', GIB);
    await files.written('sim-1');
    await files.remove('sim-1');
    expect((await openDiskFiles(join(folder, 'disks'))).open('sim-1', 2 * GIB).totalBytes).toBe(2 * GIB);
  });

  it('are kept when many change at once', async () => {
    const files = await openDiskFiles(join(folder, 'disks'));
    const names = Array.from({ length: 200 }, (_, index) => `sim-${index}`);
    await Promise.all(
      names.map(async (name) => {
        files.open(name, GIB).health = { state: 'failing', reason: name };
        await files.written(name);
      }),
    );
    const again = await openDiskFiles(join(folder, 'disks'));
    expect(names.map((name) => again.open(name, GIB).health.reason)).toEqual(names);
  });

  it.each([
    ['cut short', '{"version":1,"disks":{"sim-1":{"tot', 'cut short'],
    ['of another version', '{"version":9,"disks":{}}', 'is of version 9'],
    ['of another shape', '{"version":1,"disks":{"sim-1":{}}}', "can't be read"],
  ])('refuse a file that is %s, and leave it as it is', async (_what, text, said) => {
    await mkdir(join(folder, 'disks'));
    const path = join(folder, 'disks', '05.json');
    await writeFile(path, text);
    expect(await failure(openDiskFiles(join(folder, 'disks')))).toMatchObject({
      code: 'machine',
      message: expect.stringContaining(said),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(STATE_VERSION).not.toBe(9);
  });
});
