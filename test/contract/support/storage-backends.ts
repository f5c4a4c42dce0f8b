// The disks that the contract of a storage is checked on, each with what a test does to it from outside.

import { createSystemClock } from '../../../src/base/clock.ts';
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from '../../../src/storage/memory.ts';
import { emptyContent } from '../../../src/storage/memory-content.ts';
import { createRemoteStorage } from '../../../src/storage/remote.ts';
import type { Copy, Storage } from '../../../src/storage/storage.ts';
import { startTestNode, type TestNode } from './node-container.ts';
import { serveMemory } from './remote-backends.ts';
import { abandon, type Transfer, transfer } from './transfer.ts';

const MIB = 1024 ** 2;
const clock = createSystemClock();
export const DISK_BYTES = 2048 * MIB;

export interface StorageRig extends AsyncDisposable {
  readonly storage: Storage;
  /** Of another node. */
  readonly second: Storage;
  /** The same disk under a daemon that was started anew. */
  restarted(): Storage;
  /** What a crash between making the subvolume and limiting it leaves. */
  leaveUnlimited(id: string): Promise<void>;
  /** What a crash in the middle of receiving a copy leaves on the second disk. */
  leavePartial(copy: Copy): Promise<void>;
  /** Complete or not, what the second disk has of the volume's copies. */
  leftovers(id: string): Promise<readonly string[]>;
  /** Writes a file of a volume, as a client would. */
  write(id: string, path: string, text: string): Promise<void>;
  /** Fills a file with this many bytes that can well be compressed. */
  fill(id: string, path: string, bytes: number): Promise<void>;
  remove(id: string, path: string): Promise<void>;
  /** Every file of the volume on that disk, with its text. */
  read(id: string, on?: 'second'): Promise<Readonly<Record<string, string>>>;
  transfer(options: Transfer): Promise<number>;
  transferBack(options: Transfer): Promise<number>;
  abandon(copy: Copy): Promise<number>;
}

export const backends: readonly { readonly name: string; readonly start: () => Promise<StorageRig> }[] = [
  { name: 'memory', start: async () => startMemory(inThisProcess) },
  { name: 'remote', start: async () => startMemory(overSocket) },
  { name: 'btrfs', start: startBtrfs },
];

/** How a modelled disk is reached. */
interface Reached extends AsyncDisposable {
  /** As a daemon has it that was started anew. */
  open(): Storage;
}

const inThisProcess = async (disk: MemoryDisk): Promise<Reached> => ({
  open: () => createMemoryStorage({ clock, disk }),
  [Symbol.asyncDispose]: async () => {},
});

async function overSocket(disk: MemoryDisk): Promise<Reached> {
  const served = await serveMemory(disk);
  return {
    open: () => createRemoteStorage(served.open('storage')),
    [Symbol.asyncDispose]: served[Symbol.asyncDispose],
  };
}

async function startMemory(reach: (disk: MemoryDisk) => Promise<Reached>): Promise<StorageRig> {
  const disk = createMemoryDisk({ totalBytes: DISK_BYTES });
  const secondDisk = createMemoryDisk({ totalBytes: DISK_BYTES });
  const reached = await Promise.all([disk, secondDisk].map(reach));
  const [storage, second] = reached.map(({ open }) => open()) as [Storage, Storage];
  const volumeOf = (id: string, of: MemoryDisk = disk) => {
    const found = of.subvolumes.get(id);
    if (found === undefined) throw new Error(`there is no volume ${id}`);
    return found;
  };
  return {
    storage,
    second,
    restarted: () => (reached[0] as Reached).open(),
    leaveUnlimited: async (id) => {
      disk.subvolumes.set(id, { quotaBytes: null, ...emptyContent() });
    },
    leavePartial: async (copy) => {
      secondDisk.copies.set(`${copy.id}.${copy.name}`, { ...copy, content: emptyContent(), complete: false });
    },
    leftovers: async (id) =>
      [...secondDisk.copies.values()].filter((copy) => copy.id === id).map(({ name }) => name),
    write: async (id, path, text) => {
      volumeOf(id).files.set(path, text);
    },
    fill: async (id, path, bytes) => {
      volumeOf(id).files.set(path, `${bytes} bytes`);
      volumeOf(id).usedBytes += bytes;
    },
    remove: async (id, path) => {
      volumeOf(id).files.delete(path);
    },
    read: async (id, on) => Object.fromEntries(volumeOf(id, on === 'second' ? secondDisk : disk).files),
    transfer: (options) => transfer(options, { from: storage, to: second }),
    transferBack: (options) => transfer(options, { from: second, to: storage }),
    abandon: (copy) => abandon(copy, storage),
    [Symbol.asyncDispose]: async () => {
      for (const one of reached) await one[Symbol.asyncDispose]();
    },
  };
}

async function startBtrfs(): Promise<StorageRig> {
  const node: TestNode = await startTestNode();
  await node.mountSecondDisk();
  const fileOf = (id: string, path: string): string => `/srv/cobalt/volumes/${id}/${path}`;
  return {
    storage: node.storage,
    second: node.second,
    restarted: () => node.storage,
    leaveUnlimited: async (id) => {
      await node.run(`btrfs subvolume create /srv/cobalt/volumes/${id}`);
    },
    leavePartial: async ({ id, name }) => {
      const folder = `/srv/second/copies/${id}.${name}`;
      await node.run(
        `mkdir -p ${folder} && btrfs subvolume create ${folder}/${id} && touch ${folder}/${id}/half`,
      );
    },
    leftovers: async (id) =>
      (await node.run('ls /srv/second/copies')).split('\n').flatMap((name) => {
        return name.startsWith(`${id}.`) ? [name.slice(id.length + 1)] : [];
      }),
    write: async (id, path, text) => {
      await node.run(
        `mkdir -p $(dirname ${fileOf(id, path)}) && printf '%s' '${text}' > ${fileOf(id, path)}`,
      );
    },
    fill: async (id, path, bytes) => {
      await node.run(`yes compressible | head -c ${bytes} > ${fileOf(id, path)}`);
    },
    remove: async (id, path) => {
      await node.run(`rm ${fileOf(id, path)}`);
    },
    read: async (id, on) => {
      const folder = `/srv/${on ?? 'cobalt'}/volumes/${id}`;
      const paths = (await node.run(`cd ${folder} && find . -type f -printf '%P\\n'`))
        .split('\n')
        .filter(Boolean);
      const texts = await Promise.all(paths.map((path) => node.run(`cat ${folder}/${path}`)));
      return Object.fromEntries(paths.map((path, index) => [path, texts[index] ?? '']));
    },
    transfer: (options) => node.streams.transfer(options),
    transferBack: (options) => node.streams.transferBack(options),
    abandon: (copy) => node.streams.abandon(copy),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}
