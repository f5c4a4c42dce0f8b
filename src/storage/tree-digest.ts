// One number for everything in a folder, to tell whether two copies of it are the same.

import { createHash, type Hash } from 'node:crypto';
import { type BigIntStats, constants, createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { abortError } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';

/** Large reads: most of the time goes into the hash. */
const READ_BYTES = 1024 * 1024;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const PARENT = Buffer.from('..');

/**
 * SHA-256 over what `root` holds, itself included: names, kinds, modes, owners, sizes and contents, when
 * files were last modified, the targets of symbolic links and the numbers of devices, in the order of the
 * names' bytes. Every part has its length before it, and every folder the number of its entries, so that
 * none can pass for another. Names are bytes: a client may have written any. The folder must not change
 * meanwhile. Extended attributes are left out: Node.js can't read them.
 *
 * Each entry is reached from its folder, which is open: by NFS clients may nest folders deeper than any path
 * may be long. One folder is open at a time.
 */
export async function treeDigest(root: string, signal?: AbortSignal): Promise<string> {
  const walk: Walk = { hash: createHash('sha256'), signal, folder: await open(root, FOLDER) };
  try {
    await addEntry(walk, Buffer.from('.'));
    return walk.hash.digest('hex');
  } finally {
    await walk.folder.close();
  }
}

interface Walk {
  readonly hash: Hash;
  readonly signal: AbortSignal | undefined;
  /** Where it has got to. */
  folder: FileHandle;
}

/** A path that leads to the entry of the open folder, however long its own would be. */
function pathTo({ folder }: Walk, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
}

async function addEntry(walk: Walk, name: Buffer): Promise<void> {
  if (walk.signal?.aborted) throw abortError(walk.signal);
  const path = pathTo(walk, name);
  const stats = await lstat(path, { bigint: true });
  const size = stats.isDirectory() ? 0n : stats.size;
  const { mode, uid, gid, rdev } = stats;
  add(walk.hash, name);
  add(walk.hash, Buffer.from(`${kindOf(stats)} ${mode} ${uid} ${gid} ${rdev} ${size}`));
  if (stats.isSymbolicLink()) add(walk.hash, await readlink(path, { encoding: 'buffer' }));
  if (stats.isFile()) {
    add(walk.hash, Buffer.from(String(stats.mtimeNs)));
    await addContent(walk, path, size);
  }
  if (stats.isDirectory()) await addFolder(walk, name);
}

async function addFolder(walk: Walk, name: Buffer): Promise<void> {
  const isRoot = name.equals(Buffer.from('.'));
  if (!isRoot) await enter(walk, name);
  const names = (await readdir(pathTo(walk, Buffer.from('.')), { encoding: 'buffer' })).sort(Buffer.compare);
  add(walk.hash, Buffer.from(String(names.length)));
  for (const each of names) await addEntry(walk, each);
  if (!isRoot) await enter(walk, PARENT);
}

async function enter(walk: Walk, name: Buffer): Promise<void> {
  const next = await open(pathTo(walk, name), FOLDER);
  const left = walk.folder;
  walk.folder = next;
  await left.close();
}

/** Its size, which comes before it, is its length. */
async function addContent({ hash, signal }: Walk, path: Buffer, size: bigint): Promise<void> {
  let readBytes = 0n;
  if (size > 0n) {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      if (signal?.aborted) throw abortError(signal);
      hash.update(chunk as Buffer);
      readBytes += BigInt((chunk as Buffer).length);
    }
  }
  if (readBytes !== size) throw new RigError('io', 'a file changed while its digest was taken');
}

function add(hash: Hash, part: Buffer): void {
  hash.update(`${part.length}:`);
  hash.update(part);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFIFO()) return 'pipe';
  if (stats.isSocket()) return 'socket';
  return stats.isBlockDevice() ? 'block device' : 'character device';
}
