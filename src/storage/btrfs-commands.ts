// The btrfs command, as calls. What it prints is read by btrfs-output.ts.

import { runCommand } from '../base/command.ts';
import { type ListedQgroup, type ListedSubvolume, parseQgroups, parseSubvolumeList } from './btrfs-output.ts';

export interface BtrfsCommands {
  /** Commits the running transaction, and with it all that was written before. */
  commit(): Promise<void>;
  /** The subvolumes below a folder. */
  subvolumes(folder: string): Promise<readonly ListedSubvolume[]>;
  /** Level-0 qgroups by subvolume id, with what was in use at the last commit (up to 30 s ago). */
  qgroups(): Promise<ReadonlyMap<number, ListedQgroup>>;
  /** The qgroup of one subvolume, with what is in use now: this commits. */
  qgroupNow(subvolumePath: string): Promise<ListedQgroup | undefined>;
  limit(subvolumePath: string, quotaBytes: number): Promise<void>;
  createSubvolume(path: string): Promise<void>;
  deleteSubvolume(path: string): Promise<void>;
  /** Removes the qgroups of deleted subvolumes; `io` while the cleaner is still at one. */
  clearStaleQgroups(): Promise<void>;
}

/** For the filesystem that is mounted at `root`. */
export function createBtrfsCommands(options: {
  readonly root: string;
  readonly timeoutMs: number;
}): BtrfsCommands {
  const { root, timeoutMs } = options;
  const btrfs = (...args: readonly string[]): Promise<string> =>
    runCommand({ file: 'btrfs', args, timeoutMs });

  return {
    commit: async () => void (await btrfs('filesystem', 'sync', root)),
    subvolumes: async (folder) => parseSubvolumeList(await btrfs('subvolume', 'list', '-o', folder)),
    qgroups: async () => parseQgroups(await btrfs('qgroup', 'show', '-re', '--raw', root)),
    qgroupNow: async (path) => {
      const output = await btrfs('qgroup', 'show', '-ref', '--raw', '--sync', path);
      return [...parseQgroups(output).values()][0];
    },
    limit: async (path, quotaBytes) => {
      // By the subvolume's path it would be refused where it is needed most:
      // in a subvolume that is over its quota ("Disk quota exceeded").
      const subvolumeId = (await btrfs('inspect-internal', 'rootid', path)).trim();
      await btrfs('qgroup', 'limit', String(quotaBytes), `0/${subvolumeId}`, root);
    },
    createSubvolume: async (path) => void (await btrfs('subvolume', 'create', path)),
    deleteSubvolume: async (path) => void (await btrfs('subvolume', 'delete', path)),
    clearStaleQgroups: async () => void (await btrfs('qgroup', 'clear-stale', root)),
  };
}
