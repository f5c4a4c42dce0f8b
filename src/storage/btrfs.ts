// The real disk: BTRFS subvolumes, each with a qgroup's hard limit.
//
//   <root>/volumes/<id>          the subvolumes
//   <root>/copies/…            read-only copies that moves go by (btrfs-copies.ts)
//   <root>/trash/<id>.<ms>       what was deleted, until it is purged
//   <root>/.cobalt/binding.json  the cluster and the node that all of it belongs to

import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { checkedVolumeId } from '../model/names.ts';
import { createBtrfsCommands } from './btrfs-commands.ts';
import { createBtrfsCopies } from './btrfs-copies.ts';
import { createGuard, isSubvolume, spaceOf } from './btrfs-guard.ts';
import { btrfsHealth } from './btrfs-health.ts';
import { trashName } from './btrfs-output.ts';
import { rewriteTree } from './btrfs-rewrite.ts';
import { createPurge } from './btrfs-trash.ts';
import { createBtrfsVolumes } from './btrfs-volumes.ts';
import { checkedCompression, checkedCopy, checkedQuota } from './checked.ts';
import { formatBinding, parseBinding } from './disk-binding.ts';
import { readIfPresent, writeDurably } from './durable-file.ts';
import type { Storage } from './storage.ts';
import { treeDigest } from './tree-digest.ts';

/**
 * `root` must be the root of a mounted BTRFS subvolume (usually the top one)
 * with quotas enabled. Each command has `timeoutMs` (default 10,000), and one that writes out
 * what is in memory some times that.
 *
 * Durability: the answer to `create`, `setQuota`, `clone` and `trash` is passed on
 * to users, and a move goes on by that to a copy. So whatever makes, moves or limits a
 * subvolume ends with `btrfs filesystem sync`, which returns when the
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
  const trash = join(root, 'trash');
  const bindingFile = join(root, '.cobalt', 'binding.json');

  const commands = createBtrfsCommands({ root, timeoutMs });
  const purge = createPurge({ commands, trash, clock });
  const guard = createGuard(root);
  const volumes = createBtrfsVolumes({ folder: join(root, 'volumes'), commands });
  const copies = createBtrfsCopies({ root, commands });
  return {
    space: () => guard.call('read the space of the disk', () => spaceOf(root)),
    list: () => guard.call('list the subvolumes', () => volumes.list()),
    find: (id) => guard.call(`look at subvolume ${id}`, () => volumes.find(id)),
    create: ({ id, quotaBytes }) =>
      guard.call(`create subvolume ${id}`, () =>
        volumes.make({ id, quotaBytes, open: true, making: (path) => commands.createSubvolume(path) }),
      ),
    setQuota: ({ id, quotaBytes }) =>
      guard.call(`set the quota of subvolume ${id}`, async () => {
        checkedQuota(quotaBytes);
        await commands.limit(await volumes.presentPathOf(id), quotaBytes);
        await commands.commit();
      }),
    clone: ({ id, parentId, quotaBytes }) =>
      guard.call(`clone subvolume ${id} from ${parentId}`, async () => {
        checkedVolumeId(parentId);
        const making = async (to: string): Promise<void> =>
          commands.snapshot({ from: await volumes.presentPathOf(parentId), to, readOnly: false });
        await volumes.make({ id, quotaBytes, open: false, making });
      }),
    rewrite: ({ id, compression, signal }) =>
      guard.call(`rewrite subvolume ${id}`, async () => {
        const path = await volumes.presentPathOf(id);
        checkedCompression(compression);
        const beforeBytes = await volumes.usedBytesOf(path);
        await rewriteTree({ path, workPrefix: join(root, '.cobalt', `rewrite.${id}`), compression, signal });
        return { beforeBytes, afterBytes: await volumes.usedBytesOf(path) };
      }),
    copies: () => guard.call('list the copies', () => copies.complete()),
    freeze: (copy) =>
      guard.call(`freeze subvolume ${copy.id}`, () =>
        copies.freeze(checkedCopy(copy), volumes.pathOf(copy.id)),
      ),
    send: (copy, { base } = {}) =>
      guard.stream(`send the copy ${copy.name} of ${copy.id}`, () => {
        if (base !== undefined) checkedCopy({ id: copy.id, name: base });
        return copies.send(checkedCopy(copy), base);
      }),
    receive: (copy, stream) =>
      guard.call(`receive the copy ${copy.name} of ${copy.id}`, () =>
        copies.receive(checkedCopy(copy), stream),
      ),
    digest: (copy, signal) =>
      guard.call(`digest the copy ${copy.name} of ${copy.id}`, async () =>
        treeDigest(await copies.pathOf(checkedCopy(copy)), signal),
      ),
    adopt: (copy, { quotaBytes }) =>
      guard.call(`adopt the copy ${copy.name} of ${copy.id}`, async () => {
        const { id } = checkedCopy(copy);
        const making = async (to: string): Promise<void> =>
          commands.snapshot({ from: await copies.pathOf(copy), to, readOnly: false });
        await volumes.make({ id, quotaBytes, open: false, making });
      }),
    discard: (copy) =>
      guard.call(`discard the copy ${copy.name} of ${copy.id}`, () => copies.discard(checkedCopy(copy))),
    health: () => btrfsHealth({ root, commands, diskError: guard.diskError }),
    trash: (id) =>
      guard.call(`trash subvolume ${id}`, async () => {
        const path = volumes.pathOf(id);
        if (!(await isSubvolume(path))) return;
        await mkdir(trash, { recursive: true });
        await rename(path, join(trash, trashName({ id, trashedAtMs: clock.nowMs() })));
        await commands.commit();
      }),
    purgeTrash: ({ olderThanMs }) =>
      guard.call('purge the trash', async () => {
        await mkdir(trash, { recursive: true });
        await copies.sweep();
        return purge(olderThanMs);
      }),
    binding: () =>
      guard.call('read the binding', async () => {
        const text = await readIfPresent(bindingFile);
        return text === null ? null : parseBinding(text);
      }),
    bind: (binding) =>
      guard.call('write the binding', () => writeDurably(bindingFile, formatBinding(binding))),
  };
}
