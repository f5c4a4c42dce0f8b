// The volumes of the real disk: subvolumes of the folder `volumes`, each with a qgroup's hard limit.

import { chmod, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { checkedVolumeId, isVolumeId } from '../model/names.ts';
import type { BtrfsCommands } from './btrfs-commands.ts';
import { isSubvolume } from './btrfs-guard.ts';
import { checkedQuota } from './checked.ts';
import type { Subvolume } from './storage.ts';

/** Squashed users are nobody; they can write only where everybody can. */
const OPEN_TO_ALL = 0o777;
const UNLIMITED = { quotaBytes: null, usedBytes: 0 } as const;

export interface BtrfsVolumes {
  /** Whether it is there or not; `invalid` for what is no id. */
  pathOf(id: string): string;
  /** `not_found` when it isn't there. */
  presentPathOf(id: string): Promise<string>;
  list(): Promise<readonly Subvolume[]>;
  find(id: string): Promise<Subvolume | undefined>;
  usedBytesOf(path: string): Promise<number>;
  /**
   * Has the subvolume made if it isn't there, and sets its quota in any case: a crash may have come
   * between the two. `open` lets every user write into it. Durable when it resolves.
   */
  make(options: {
    readonly id: string;
    readonly quotaBytes: number;
    readonly open: boolean;
    readonly making: (path: string) => Promise<void>;
  }): Promise<void>;
}

export function createBtrfsVolumes(options: {
  readonly folder: string;
  readonly commands: BtrfsCommands;
}): BtrfsVolumes {
  const { folder, commands } = options;
  const pathOf = (id: string): string => join(folder, checkedVolumeId(id));
  return {
    pathOf,
    presentPathOf: async (id) => {
      if (await isSubvolume(pathOf(id))) return pathOf(id);
      throw new RigError('not_found', `there is no subvolume ${id}`);
    },
    list: async () => {
      await mkdir(folder, { recursive: true });
      const [listed, qgroups] = await Promise.all([commands.subvolumes(folder), commands.qgroups()]);
      return listed.flatMap(({ subvolumeId, path }): Subvolume[] => {
        const id = basename(path);
        if (!isVolumeId(id) || !`/${path}`.endsWith(`/volumes/${id}`)) return [];
        return [{ id, ...(qgroups.get(subvolumeId) ?? UNLIMITED) }];
      });
    },
    find: async (id) => {
      const path = pathOf(id);
      if (!(await isSubvolume(path))) return undefined;
      return { id, ...((await commands.qgroupNow(path)) ?? UNLIMITED) };
    },
    usedBytesOf: async (path) => (await commands.qgroupNow(path))?.usedBytes ?? 0,
    make: async ({ id, quotaBytes, open, making }) => {
      const path = pathOf(id);
      checkedQuota(quotaBytes);
      await mkdir(folder, { recursive: true });
      if (!(await isSubvolume(path))) await making(path);
      await commands.limit(path, quotaBytes);
      if (open) await openToAll(path);
      await commands.commit();
    },
  };
}

/** Only if it isn't yet: in a subvolume that is over its quota even this is refused. */
async function openToAll(path: string): Promise<void> {
  if (((await stat(path)).mode & OPEN_TO_ALL) !== OPEN_TO_ALL) await chmod(path, OPEN_TO_ALL);
}
