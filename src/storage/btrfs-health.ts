// How the real disk is, from what the kernel knows of it without touching it.

import { readFile } from 'node:fs/promises';
import type { DiskHealth } from '../model/node.ts';
import { LONGEST_REASON } from '../model/reason.ts';
import type { BtrfsCommands } from './btrfs-commands.ts';
import { assertMounted, spaceOf } from './btrfs-guard.ts';
import { deviceErrors, isReadOnlyMount } from './btrfs-output.ts';
import { isFull } from './checked.ts';

/**
 * The first that holds of `read-only`, `failing` and `full`. The counters behind `failing` are BTRFS's
 * own and outlive a restart: whoever has replaced the disk clears them with `btrfs device stats -z`.
 * A disk that can't even be asked is failing too.
 */
export async function btrfsHealth(options: {
  readonly root: string;
  readonly commands: BtrfsCommands;
  readonly diskError: () => string | null;
}): Promise<DiskHealth> {
  const { root, commands, diskError } = options;
  try {
    await assertMounted(root);
    if (isReadOnlyMount(await readFile('/proc/self/mountinfo', 'utf8'), root)) {
      return unwell('read-only', `${root} is mounted read-only`);
    }
    const errors = deviceErrors(await commands.deviceStats());
    if (errors !== null) return unwell('failing', `BTRFS has counted ${errors}`);
    const met = diskError();
    if (met !== null) return unwell('failing', met);
    const space = await spaceOf(root);
    if (isFull(space)) return unwell('full', `${space.availableBytes} bytes of ${space.totalBytes} are left`);
    return { state: 'ok', reason: null };
  } catch (error) {
    return unwell('failing', (error as Error).message);
  }
}

function unwell(state: DiskHealth['state'], reason: string): DiskHealth {
  return { state, reason: reason.slice(0, LONGEST_REASON) };
}
