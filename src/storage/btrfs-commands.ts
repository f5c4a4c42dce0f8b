// The btrfs command, as calls. What it prints is read by btrfs-output.ts.

import { runCommand } from '../base/command.ts';
import { hasCode } from '../base/errors.ts';
import { type ListedQgroup, type ListedSubvolume, parseQgroups, parseSubvolumeList } from './btrfs-output.ts';
import { createSharedCommit } from './shared-commit.ts';

export interface BtrfsCommands {
  /** Commits the running transaction, and with it all that was written before the call. */
  commit(): Promise<void>;
  /** The subvolumes below a folder. */
  subvolumes(folder: string, only?: 'read-only'): Promise<readonly ListedSubvolume[]>;
  /** Level-0 qgroups by subvolume id, with what was in use at the last commit (up to 30 s ago). */
  qgroups(): Promise<ReadonlyMap<number, ListedQgroup>>;
  /** The qgroup of one subvolume, with what is in use now: this commits. */
  qgroupNow(subvolumePath: string): Promise<ListedQgroup | undefined>;
  limit(subvolumePath: string, quotaBytes: number): Promise<void>;
  createSubvolume(path: string): Promise<void>;
  /** Freezes it as it is, with all that was written to it. The snapshot inherits the limit. */
  snapshot(options: {
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
  }): Promise<void>;
  isReadOnly(subvolumePath: string): Promise<boolean>;
  deleteSubvolume(path: string): Promise<void>;
  /** The error counters of the disk, as text. */
  deviceStats(): Promise<string>;
  /** Removes the qgroups of deleted subvolumes; `io` while the cleaner is still at one. */
  clearStaleQgroups(): Promise<void>;
}

/** A snapshot first writes out what clients have just written, and so may take this many times longer. */
const WRITES_OUT = 6;
/** So may a commit, after all that a move has brought; but a receiver is waited for no longer than a minute. */
const COMMITS = 5;

/** For the filesystem that is mounted at `root`. */
export function createBtrfsCommands(options: {
  readonly root: string;
  readonly timeoutMs: number;
}): BtrfsCommands {
  const { root, timeoutMs } = options;
  const btrfs = (...args: readonly string[]): Promise<string> =>
    runCommand({ file: 'btrfs', args, timeoutMs });
  const slowly = (times: number, ...args: readonly string[]): Promise<string> =>
    runCommand({ file: 'btrfs', args, timeoutMs: timeoutMs * times });

  return {
    commit: createSharedCommit(async () => void (await slowly(COMMITS, 'filesystem', 'sync', root))),
    subvolumes: async (folder, only) =>
      parseSubvolumeList(
        await btrfs('subvolume', 'list', ...(only === 'read-only' ? ['-r'] : []), '-o', folder),
      ),
    qgroups: async () => parseQgroups(await btrfs('qgroup', 'show', '-re', '--raw', root)),
    qgroupNow: async (path) => {
      const output = await slowly(COMMITS, 'qgroup', 'show', '-ref', '--raw', '--sync', path);
      return [...parseQgroups(output).values()][0];
    },
    limit: async (path, quotaBytes) => {
      try {
        await btrfs('qgroup', 'limit', String(quotaBytes), path);
      } catch (error) {
        // By the subvolume's path it is refused where it is needed most: in one that is over its
        // quota. By its number it isn't, at the cost of a command more.
        if (!hasCode(error, 'io') || !/Disk quota exceeded/.test(error.message)) throw error;
        const subvolumeId = (await btrfs('inspect-internal', 'rootid', path)).trim();
        await btrfs('qgroup', 'limit', String(quotaBytes), `0/${subvolumeId}`, root);
      }
    },
    createSubvolume: async (path) => void (await btrfs('subvolume', 'create', path)),
    snapshot: async ({ from, to, readOnly }) =>
      void (await slowly(WRITES_OUT, 'subvolume', 'snapshot', ...(readOnly ? ['-r'] : []), from, to)),
    isReadOnly: async (path) => (await btrfs('property', 'get', '-ts', path, 'ro')).trim() === 'ro=true',
    deleteSubvolume: async (path) => void (await btrfs('subvolume', 'delete', path)),
    deviceStats: () => btrfs('device', 'stats', root),
    clearStaleQgroups: async () => void (await btrfs('qgroup', 'clear-stale', root)),
  };
}
