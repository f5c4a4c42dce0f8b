// Each exported subvolume is mounted by itself: ganesha finds filesystems by
// their mounts, and a subvolume without one is no filesystem to it.

import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../base/command.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { type Mount, parseMountinfo } from './mountinfo.ts';

export interface SubvolumeMounts {
  pathOf(id: string): string;
  /**
   * The mount of exactly this subvolume at its path; undefined when there is
   * none, or another one (a volume that was trashed since and made anew).
   */
  find(id: string): Promise<Mount | undefined>;
  /** All at once: answers with `find` as of now. */
  look(): Promise<(id: string) => Mount | undefined>;
  /** Mounts the subvolume at its path. Nothing may be mounted there. */
  mount(id: string): Promise<Mount>;
  /** Leaves neither a mount nor a folder. */
  unmount(id: string): Promise<void>;
}

export function createSubvolumeMounts(options: {
  readonly root: string;
  readonly exportsRoot: string;
  readonly timeoutMs: number;
}): SubvolumeMounts {
  const { root, exportsRoot, timeoutMs } = options;
  const pathOf = (id: string): string => join(exportsRoot, id);
  const command = (file: string, ...args: readonly string[]): Promise<string> =>
    runCommand({ file, args, timeoutMs });

  const disk = (mounts: readonly Mount[]): Mount => {
    const found = mounts.findLast(({ mountPoint }) => mountPoint === root);
    if (found?.filesystem === 'btrfs') return found;
    throw new RigError('io', `no BTRFS filesystem is mounted at ${root}`, { next: 'Mount the disk there.' });
  };
  const subvolumePath = (diskMount: Mount, id: string): string => join(diskMount.rootPath, 'volumes', id);

  const look = async (): Promise<(id: string) => Mount | undefined> => {
    const mounts = await readMounts();
    const diskMount = disk(mounts);
    // Of several at one place the last is the one that is seen.
    const seen = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
    return (id) => {
      const found = seen.get(pathOf(id));
      if (found?.device !== diskMount.device) return undefined;
      return found.rootPath === subvolumePath(diskMount, id) ? found : undefined;
    };
  };
  const find = async (id: string): Promise<Mount | undefined> => (await look())(id);

  return {
    pathOf,
    find,
    look,
    mount: async (id) => {
      const diskMount = disk(await readMounts());
      const subvolume = `subvol=${subvolumePath(diskMount, id).slice(1)}`;
      await mkdir(pathOf(id), { recursive: true });
      try {
        const flags = `noatime,nosuid,nodev,${subvolume}`;
        await command('mount', '-t', 'btrfs', '-o', flags, diskMount.device, pathOf(id));
      } catch (error) {
        await rmdir(pathOf(id)).catch(() => undefined);
        throw error;
      }
      const mounted = await find(id);
      if (mounted !== undefined) return mounted;
      throw new RigError('io', `subvolume ${id} was mounted at ${pathOf(id)}, but isn't there`);
    },
    unmount: async (id) => {
      const mounts = await readMounts();
      // A crash between two steps may have left several on top of each other.
      for (const { mountPoint } of mounts) {
        if (mountPoint !== pathOf(id)) continue;
        try {
          await command('umount', '--no-canonicalize', mountPoint);
        } catch (error) {
          if (!hasCode(error, 'io') || !/busy/.test(error.message)) throw error;
          // Somebody still holds a file: ganesha's cache, or a shell. Nobody can
          // get at it by NFS any more; the kernel ends the mount with the last one.
          await command('umount', '--no-canonicalize', '--lazy', mountPoint);
        }
      }
      await rmdir(pathOf(id)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    },
  };
}

async function readMounts(): Promise<readonly Mount[]> {
  return parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
}
