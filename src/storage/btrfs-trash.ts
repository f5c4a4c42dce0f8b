// The end of what was deleted: trashed subvolumes, and their qgroups.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { BtrfsCommands } from './btrfs-commands.ts';
import { parseTrashName } from './btrfs-output.ts';
import { createTrashWatch } from './trash.ts';

/** Deletes whatever is due, each by itself: one that can't be deleted doesn't keep the others. */
export function createPurge(options: {
  readonly commands: BtrfsCommands;
  readonly trash: string;
  readonly clock: Clock;
}): (olderThanMs: number) => Promise<number> {
  const { commands, trash, clock } = options;
  const watch = createTrashWatch<string>(clock);
  return async (olderThanMs) => {
    const entries = (await readdir(trash)).sort().flatMap((name) => {
      const trashed = parseTrashName(name);
      return trashed === undefined ? [] : [{ key: name, trashedAtMs: trashed.trashedAtMs }];
    });
    const due = watch.due(entries, { olderThanMs });
    const failures: RigError[] = [];
    for (const name of due) {
      await commands.deleteSubvolume(join(trash, name)).catch((error: unknown) => {
        failures.push(RigError.from(error, { code: 'io' }));
      });
    }
    if (due.length > failures.length) await commands.commit();
    // A qgroup can go only when BTRFS's cleaner is through with its
    // subvolume. Those that it is still at (the command then fails) cost
    // next to nothing, and go with the next purge.
    await commands.clearStaleQgroups().catch((error: unknown) => {
      if (!hasCode(error, 'io')) throw error;
    });
    if (failures.length === 0) return due.length;
    const reasons = failures.map(({ message }) => message).join('; ');
    throw new RigError('io', `${failures.length} of ${due.length} could not be purged: ${reasons}`, {
      definite: false,
      cause: failures[0],
    });
  };
}
