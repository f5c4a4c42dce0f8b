// What is on a node's modelled disk and in its NFS server, as the rig looks at it.

import type { MemoryNfsServer } from '../nfs/memory.ts';
import type { Inventory } from '../rig/history.ts';
import type { ModelledDisk } from './disk.ts';
import { storedFile } from './nfs.ts';

/** `coresWanted`: what the node's roles want of a core, where that was asked for. */
export function inventoryOf(
  { storage, nfs }: { readonly storage: ModelledDisk; readonly nfs: MemoryNfsServer },
  coresWanted?: Inventory['coresWanted'],
): Inventory {
  const { disk } = storage;
  const byId = <T extends { readonly id: string }>(all: readonly T[]): readonly T[] =>
    all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    volumes: byId(
      [...disk.subvolumes].map(([id, { quotaBytes, usedBytes, files }]) => ({
        id,
        quotaBytes,
        usedBytes,
        files: Object.fromEntries([...files].map(([path, text]) => [path, storedFile(text).sha256])),
      })),
    ),
    trash: disk.trash.map(({ id, trashedAtMs }) => `${id}.${trashedAtMs}`).sort(),
    exports: byId(
      [...nfs.exports].map(([id, rules]) => ({
        id,
        clients: rules.map(({ host, access, squash }) => ({ host, access, squash })),
      })),
    ),
    copies: [...disk.copies.keys()].sort(),
    ...(coresWanted !== undefined && { coresWanted }),
  };
}
