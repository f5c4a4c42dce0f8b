// The real disk: BTRFS subvolumes, each with a qgroup's hard limit.
//
//   <root>/volumes/<id>          the subvolumes
//   <root>/trash/<id>.<ms>       what was deleted, until it is purged
//   <root>/.cobalt/binding.json  the cluster and the node that all of it belongs to

import { chmod, mkdir, rename, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { checkedVolumeId, isVolumeId } from '../model/names.ts';
import { type BtrfsCommands, createBtrfsCommands } from './btrfs-commands.ts';
import { trashName } from './btrfs-output.ts';
import { createPurge } from './btrfs-trash.ts';
import { checkedQuota } from './checked.ts';
import { formatBinding, parseBinding } from './disk-binding.ts';
import { readIfPresent, writeDurably } from './durable-file.ts';
import type { Storage, Subvolume } from './storage.ts';

/** BTRFS_SUPER_MAGIC of linux/magic.h. */
const BTRFS_MAGIC = 0x9123683e;
/** BTRFS_FIRST_FREE_OBJECTID: the inode of every subvolume's root. */
const SUBVOLUME_INODE = 256;
/** Squashed users are nobody; they can write only where everybody can. */
const OPEN_TO_ALL = 0o777;
const UNLIMITED = { quotaBytes: null, usedBytes: 0 } as const;

/**
 * `root` must be the root of a mounted BTRFS subvolume (usually the top one)
 * with quotas enabled. Each command has `timeoutMs` (default 10,000).
 *
 * Durability: the answer to `create`, `setQuota` and `trash` is passed on to
 * users, so all three end with `btrfs filesystem sync`, which returns when the
 * running transaction is committed. Short of that a power cut could take back
 * up to 30 s (BTRFS's commit interval) of what was acknowledged. Each step
 * before it may be lost or kept alone; done again, all of them end the same.
 */
export function createBtrfsStorage(options: {
  readonly root: string;
  readonly clock: Clock;
  readonly timeoutMs?: number;
}): Storage {
  const { root, clock, timeoutMs = 10_000 } = options;
  const volumes = join(root, 'volumes');
  const trash = join(root, 'trash');
  const bindingFile = join(root, '.cobalt', 'binding.json');

  const commands = createBtrfsCommands({ root, timeoutMs });
  const purge = createPurge({ commands, trash, clock });
  const guarded = createGuard(root);

  return {
    space: () => guarded('read the space of the disk', () => spaceOf(root)),
    list: () =>
      guarded('list the subvolumes', async () => {
        await mkdir(volumes, { recursive: true });
        return listVolumes(commands, volumes);
      }),
    find: (id) =>
      guarded(`look at subvolume ${id}`, async () => {
        const path = join(volumes, checkedVolumeId(id));
        if (!(await isSubvolume(path))) return undefined;
        return { id, ...((await commands.qgroupNow(path)) ?? UNLIMITED) };
      }),
    create: ({ id, quotaBytes }) =>
      guarded(`create subvolume ${id}`, async () => {
        const path = join(volumes, checkedVolumeId(id));
        checkedQuota(quotaBytes);
        await mkdir(volumes, { recursive: true });
        if (!(await isSubvolume(path))) await commands.createSubvolume(path);
        await commands.limit(path, quotaBytes);
        await openToAll(path);
        await commands.commit();
      }),
    setQuota: ({ id, quotaBytes }) =>
      guarded(`set the quota of subvolume ${id}`, async () => {
        const path = join(volumes, checkedVolumeId(id));
        checkedQuota(quotaBytes);
        if (!(await isSubvolume(path))) throw new RigError('not_found', `there is no subvolume ${id}`);
        await commands.limit(path, quotaBytes);
        await commands.commit();
      }),
    trash: (id) =>
      guarded(`trash subvolume ${id}`, async () => {
        const path = join(volumes, checkedVolumeId(id));
        if (!(await isSubvolume(path))) return;
        await mkdir(trash, { recursive: true });
        await rename(path, join(trash, trashName({ id, trashedAtMs: clock.nowMs() })));
        await commands.commit();
      }),
    purgeTrash: ({ olderThanMs }) =>
      guarded('purge the trash', async () => {
        await mkdir(trash, { recursive: true });
        return purge(olderThanMs);
      }),
    binding: () =>
      guarded('read the binding', async () => {
        const text = await readIfPresent(bindingFile);
        return text === null ? null : parseBinding(text);
      }),
    bind: (binding) => guarded('write the binding', () => writeDurably(bindingFile, formatBinding(binding))),
  };
}

/** Does nothing on a disk that isn't mounted, and says what failed. */
function createGuard(root: string): <T>(what: string, action: () => Promise<T>) => Promise<T> {
  return async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    try {
      await assertMounted(root);
      return await action();
    } catch (error) {
      if (error instanceof RigError) throw error;
      const reason = (error as Error).message;
      throw new RigError('io', `cannot ${what}: ${reason}`, { definite: false, cause: error });
    }
  };
}

async function listVolumes(commands: BtrfsCommands, folder: string): Promise<readonly Subvolume[]> {
  const [listed, qgroups] = await Promise.all([commands.subvolumes(folder), commands.qgroups()]);
  return listed.flatMap(({ subvolumeId, path }): Subvolume[] => {
    const id = basename(path);
    if (!isVolumeId(id) || !`/${path}`.endsWith(`/volumes/${id}`)) return [];
    return [{ id, ...(qgroups.get(subvolumeId) ?? UNLIMITED) }];
  });
}

/** Only if it isn't yet: in a subvolume that is over its quota even this is refused. */
async function openToAll(path: string): Promise<void> {
  if (((await stat(path)).mode & OPEN_TO_ALL) !== OPEN_TO_ALL) await chmod(path, OPEN_TO_ALL);
}

/**
 * A disk that isn't mounted looks like an empty one. Nothing may be concluded
 * from it, and nothing be written to what is beneath.
 */
async function assertMounted(root: string): Promise<void> {
  const [filesystem, folder] = await Promise.all([statfs(root), stat(root)]);
  if (filesystem.type === BTRFS_MAGIC && folder.ino === SUBVOLUME_INODE) return;
  throw new RigError('io', `${root} is not the root of a BTRFS subvolume`, {
    next: 'Mount the disk there.',
  });
}

async function isSubvolume(path: string): Promise<boolean> {
  try {
    return (await stat(path)).ino === SUBVOLUME_INODE;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function spaceOf(root: string): Promise<{ totalBytes: number; availableBytes: number }> {
  const { blocks, bavail, bsize } = await statfs(root);
  return { totalBytes: blocks * bsize, availableBytes: bavail * bsize };
}
