// The copies on the real disk: read-only snapshots, and what `btrfs receive` makes of their streams.
//
//   <root>/copies/<id>.<name>/<id>
//
// A folder for each, because a stream carries the name of its subvolume, and because what is
// read-only can't be renamed into another folder. A copy is complete when it is read-only: a snapshot is
// that from the start, and `btrfs receive` makes it so when it has read the stream's end (its man page).

import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { feedCommand, readCommand } from '../base/stream-command.ts';
import type { BtrfsCommands } from './btrfs-commands.ts';
import { isSubvolume } from './btrfs-guard.ts';
import { copyFolder, parseCopyFolder, parseCopyPath } from './btrfs-output.ts';
import type { Bytes, Copy } from './storage.ts';

export interface BtrfsCopies {
  complete(): Promise<readonly Copy[]>;
  /** The subvolume of a complete copy; `not_found` for any other. */
  pathOf(copy: Copy): Promise<string>;
  freeze(copy: Copy, volumePath: string): Promise<void>;
  send(copy: Copy, base: string | undefined): Promise<Bytes>;
  receive(copy: Copy, stream: Bytes): Promise<void>;
  discard(copy: Copy): Promise<void>;
  /** Discards what a crash left incomplete: whatever is, and isn't being made by this object. */
  sweep(): Promise<void>;
}

/** Ids and names must have been checked: they become folders. */
export function createBtrfsCopies(options: {
  readonly root: string;
  readonly commands: BtrfsCommands;
}): BtrfsCopies {
  const { commands } = options;
  const all = join(options.root, 'copies');
  /** Folders whose copies are being made. */
  const busy = new Set<string>();
  const making = async (copy: Copy, make: (folder: string) => Promise<void>): Promise<void> => {
    const folder = folderOf(copy);
    if (busy.has(folder)) {
      throw new RigError('conflict', `copy ${copy.name} of ${copy.id} is being made`);
    }
    busy.add(folder);
    try {
      if (await isComplete(copy)) {
        throw new RigError('conflict', `there is a complete copy ${copy.name} of ${copy.id}`);
      }
      await mkdir(folder, { recursive: true });
      await empty(folder);
      await make(folder);
    } finally {
      busy.delete(folder);
    }
  };
  const folderOf = (copy: Copy): string => join(all, copyFolder(copy));
  const subvolumeOf = (copy: Copy): string => join(folderOf(copy), copy.id);
  const isComplete = async (copy: Copy): Promise<boolean> => {
    const path = subvolumeOf(copy);
    if (!(await isSubvolume(path))) return false;
    try {
      return await commands.isReadOnly(path);
    } catch (error) {
      // Somebody else may have discarded it between the two looks.
      if (!(await isSubvolume(path))) return false;
      throw error;
    }
  };

  /** Deletes what is in the folder, however far it came; answers with whether anything was. */
  const empty = async (folder: string): Promise<boolean> => {
    const names = await namesIn(folder);
    for (const name of names) {
      const path = join(folder, name);
      await commands.deleteSubvolume(path).catch(async (error: unknown) => {
        // Somebody else may have discarded it since it was listed.
        if ((await namesIn(folder)).includes(name)) throw error;
      });
    }
    return names.length > 0;
  };
  const pathOf = async (copy: Copy): Promise<string> => {
    if (await isComplete(copy)) return subvolumeOf(copy);
    throw new RigError('not_found', `there is no complete copy ${copy.name} of ${copy.id}`);
  };
  const discard = async (copy: Copy): Promise<void> => {
    const deleted = await empty(folderOf(copy));
    await rmdir(folderOf(copy)).catch(ignoreAbsence);
    if (deleted) await commands.commit();
  };

  return {
    complete: async () => {
      await mkdir(all, { recursive: true });
      const listed = await commands.subvolumes(all, 'read-only');
      return listed.flatMap(({ path }) => parseCopyPath(path) ?? []);
    },
    pathOf,
    freeze: async (copy, volumePath) => {
      if (await isComplete(copy)) return;
      if (!(await isSubvolume(volumePath))) {
        throw new RigError('not_found', `there is no subvolume ${copy.id}`);
      }
      await making(copy, async () => {
        await commands.snapshot({ from: volumePath, to: subvolumeOf(copy), readOnly: true });
        await commands.commit();
      });
    },
    send: async (copy, base) => {
      const [path, basePath] = await Promise.all([
        pathOf(copy),
        base === undefined ? undefined : pathOf({ id: copy.id, name: base }),
      ]);
      const parent = basePath === undefined ? [] : ['-p', basePath];
      return readCommand({ file: 'btrfs', args: ['-q', 'send', ...parent, path] });
    },
    receive: (copy, stream) =>
      making(copy, async (folder) => {
        try {
          await feedCommand({ file: 'btrfs', args: ['-q', 'receive', folder], input: stream });
          if (!(await isComplete(copy))) throw new RigError('io', `the stream is not one of ${copy.id}`);
          await commands.commit();
        } catch (error) {
          // The failure is what the caller must hear. What is left of it is swept away later.
          await discard(copy).catch(() => {});
          throw error;
        }
      }),
    discard,
    sweep: async () => {
      for (const name of await namesIn(all)) {
        const copy = parseCopyFolder(name);
        if (copy === undefined || busy.has(folderOf(copy)) || (await isComplete(copy))) continue;
        if (!busy.has(folderOf(copy))) await discard(copy);
      }
    },
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    ignoreAbsence(error);
    return [];
  });
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
