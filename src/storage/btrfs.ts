// The real disk: BTRFS subvolumes, each with a qgroup's hard limit.
//
//   <root>/volumes/<id>          the subvolumes
//   <root>/trash/<id>.<ms>       what was deleted, until it is purged
//   <root>/.cobalt/cluster-id    the etcd cluster that all of it belongs to

import { chmod, mkdir, readdir, rename, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { runCommand } from '../base/command.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { parseQgroups, parseSubvolumeList, parseTrashName, trashName } from './btrfs-output.ts';
import { checkedClusterId, checkedId, checkedQuota } from './checked.ts';
import { readIfPresent, writeDurably } from './durable-file.ts';
import type { Storage, Subvolume } from './storage.ts';

/** BTRFS_SUPER_MAGIC of linux/magic.h. */
const BTRFS_MAGIC = 0x9123683e;
/** BTRFS_FIRST_FREE_OBJECTID: the inode of every subvolume's root. */
const SUBVOLUME_INODE = 256;
/** Squashed users are nobody; they can write only where everybody can. */
const OPEN_TO_ALL = 0o777;

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
  const clusterIdFile = join(root, '.cobalt', 'cluster-id');

  const btrfs = (...args: readonly string[]): Promise<string> =>
    runCommand({ file: 'btrfs', args, timeoutMs });
  const commit = (): Promise<string> => btrfs('filesystem', 'sync', root);
  const limit = (id: string, quotaBytes: number): Promise<string> =>
    btrfs('qgroup', 'limit', String(quotaBytes), join(volumes, id));

  const guarded = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    try {
      await assertMounted(root);
      return await action();
    } catch (error) {
      if (error instanceof RigError) throw error;
      const reason = (error as Error).message;
      throw new RigError('io', `cannot ${what}: ${reason}`, { definite: false, cause: error });
    }
  };

  return {
    space: () => guarded('read the space of the disk', () => spaceOf(root)),
    list: () =>
      guarded('list the subvolumes', async () => {
        await mkdir(volumes, { recursive: true });
        const [listed, qgroups] = await Promise.all([
          btrfs('subvolume', 'list', '-o', volumes).then(parseSubvolumeList),
          btrfs('qgroup', 'show', '-re', '--raw', root).then(parseQgroups),
        ]);
        return listed.flatMap(({ subvolumeId, path }): Subvolume[] => {
          const id = /(?:^|\/)volumes\/(v[0-9a-f]{16})$/.exec(path)?.[1];
          if (id === undefined) return [];
          return [{ id, ...(qgroups.get(subvolumeId) ?? { quotaBytes: null, usedBytes: 0 }) }];
        });
      }),
    create: ({ id, quotaBytes }) =>
      guarded(`create subvolume ${id}`, async () => {
        const path = join(volumes, checkedId(id));
        checkedQuota(quotaBytes);
        await mkdir(volumes, { recursive: true });
        if (!(await isSubvolume(path))) await btrfs('subvolume', 'create', path);
        await limit(id, quotaBytes);
        await chmod(path, OPEN_TO_ALL);
        await commit();
      }),
    setQuota: ({ id, quotaBytes }) =>
      guarded(`set the quota of subvolume ${id}`, async () => {
        const path = join(volumes, checkedId(id));
        checkedQuota(quotaBytes);
        if (!(await isSubvolume(path))) throw new RigError('not_found', `there is no subvolume ${id}`);
        await limit(id, quotaBytes);
        await commit();
      }),
    trash: (id) =>
      guarded(`trash subvolume ${id}`, async () => {
        const path = join(volumes, checkedId(id));
        if (!(await isSubvolume(path))) return;
        await mkdir(trash, { recursive: true });
        await rename(path, join(trash, trashName({ id, trashedAtMs: clock.nowMs() })));
        await commit();
      }),
    purgeTrash: ({ olderThanMs }) =>
      guarded('purge the trash', async () => {
        await mkdir(trash, { recursive: true });
        const due = (await readdir(trash)).filter((name) => {
          const trashed = parseTrashName(name);
          return trashed !== undefined && clock.nowMs() - trashed.trashedAtMs >= olderThanMs;
        });
        for (const name of due) await btrfs('subvolume', 'delete', join(trash, name));
        if (due.length > 0) await commit();
        // A qgroup can go only when BTRFS's cleaner is through with its
        // subvolume. Those that it is still at (the command then fails) cost
        // next to nothing, and go with the next purge.
        await btrfs('qgroup', 'clear-stale', root).catch((error: unknown) => {
          if (!hasCode(error, 'io')) throw error;
        });
        return due.length;
      }),
    clusterId: () => guarded('read the cluster id', () => readIfPresent(clusterIdFile)),
    bindCluster: (clusterId) =>
      guarded('write the cluster id', () => writeDurably(clusterIdFile, checkedClusterId(clusterId))),
  };
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
