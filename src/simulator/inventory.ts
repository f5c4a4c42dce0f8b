// What is on a simulated node's disk and in its NFS server, as the rig looks at it.

import type { Inventory } from '../rig/history.ts';
import { storedFile } from './nfs.ts';
import type { SimulatedNode } from './node.ts';

export function inventoryOf({ storage, nfs, roles }: SimulatedNode): Inventory {
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
    // Nothing that a role does takes any time here, and one that didn't wait would let none pass.
    coresWanted: Object.fromEntries(roles().map((role) => [role, 0])),
  };
}
