// What stands around every call to the real disk: nothing is done on one that isn't mounted, what failed
// is said in the caller's words, and an error of the disk itself is remembered for its health.

import { stat, statfs } from 'node:fs/promises';
import { RigError } from '../base/errors.ts';
import type { Bytes } from './storage.ts';

/** BTRFS_SUPER_MAGIC of linux/magic.h. */
const BTRFS_MAGIC = 0x9123683e;
/** BTRFS_FIRST_FREE_OBJECTID: the inode of every subvolume's root. */
const SUBVOLUME_INODE = 256;

export interface Guard {
  call<T>(what: string, action: () => Promise<T>): Promise<T>;
  stream(what: string, action: () => Promise<Bytes>): Bytes;
  /** The first error of the disk (EIO) that a call has met; null when none has. */
  diskError(): string | null;
}

export function createGuard(root: string): Guard {
  let diskError: string | null = null;
  const explained = (what: string, error: unknown): RigError => {
    const reason = (error as Error).message;
    if (isDiskError(error)) diskError ??= `cannot ${what}: ${reason}`;
    if (error instanceof RigError) return error;
    return new RigError('io', `cannot ${what}: ${reason}`, { definite: false, cause: error });
  };
  return {
    call: async (what, action) => {
      try {
        await assertMounted(root);
        return await action();
      } catch (error) {
        throw explained(what, error);
      }
    },
    stream: async function* (what, action) {
      try {
        await assertMounted(root);
        yield* await action();
      } catch (error) {
        throw explained(what, error);
      }
    },
    diskError: () => diskError,
  };
}

/** EIO of Node's own calls, or as the C library words it in what a command says. */
function isDiskError(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EIO' || /\bInput\/output error\b/.test(message);
}

/**
 * A disk that isn't mounted looks like an empty one. Nothing may be concluded
 * from it, and nothing be written to what is beneath.
 */
export async function assertMounted(root: string): Promise<void> {
  const [filesystem, folder] = await Promise.all([statfs(root), stat(root)]);
  if (filesystem.type === BTRFS_MAGIC && folder.ino === SUBVOLUME_INODE) return;
  throw new RigError('io', `${root} is not the root of a BTRFS subvolume`, {
    next: 'Mount the disk there.',
  });
}

export async function isSubvolume(path: string): Promise<boolean> {
  try {
    return (await stat(path)).ino === SUBVOLUME_INODE;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

export async function spaceOf(root: string): Promise<{ totalBytes: number; availableBytes: number }> {
  const { blocks, bavail, bsize } = await statfs(root);
  return { totalBytes: blocks * bsize, availableBytes: bavail * bsize };
}
