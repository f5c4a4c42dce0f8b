// The disks of a simulated cluster, kept in its folder: what an agent was told is written
// is there again after any end of the process. Several disks share a file, and many
// changes one write of it.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../base/digest.ts';
import { RigError } from '../base/errors.ts';
import { copyNameSchema, nodeNameSchema, volumeIdSchema } from '../model/names.ts';
import { diskHealthSchema } from '../model/node.ts';
import { compressionSchema } from '../model/volume.ts';
import { checkedBinding } from '../storage/disk-binding.ts';
import { readIfPresent, writeDurably } from '../storage/durable-file.ts';
import { createMemoryDisk, type MemoryDisk } from '../storage/memory.ts';
import type { DiskBinding } from '../storage/storage.ts';
import { STATE_VERSION } from './cluster.ts';
import { parseStateFile } from './cluster-file.ts';
import { createShared } from './shared-call.ts';

const FILES = 64;

const contentSchema = z.strictObject({
  usedBytes: z.number().nonnegative(),
  files: z.array(z.tuple([z.string(), z.string()])),
  compression: compressionSchema,
});

const bindingSchema = z.unknown().transform((binding, context): DiskBinding | null => {
  try {
    return binding === null ? null : checkedBinding(binding);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not the binding of a disk' });
    return z.NEVER;
  }
});

const diskSchema = z.strictObject({
  totalBytes: z.number().positive(),
  subvolumes: z.array(
    contentSchema.extend({ id: volumeIdSchema, quotaBytes: z.number().positive().nullable() }),
  ),
  copies: z.array(
    z.strictObject({
      id: volumeIdSchema,
      name: copyNameSchema,
      complete: z.boolean(),
      content: contentSchema,
    }),
  ),
  trash: z.array(z.strictObject({ id: volumeIdSchema, trashedAtMs: z.number(), usedBytes: z.number() })),
  binding: bindingSchema,
  health: diskHealthSchema,
});

type KeptDisk = z.input<typeof diskSchema>;

const fileSchema = z.strictObject({
  version: z.literal(STATE_VERSION),
  disks: z.record(nodeNameSchema, diskSchema),
});

export interface DiskFiles {
  /** The disk of that name, as it was left; a new one of `totalBytes` if there was none. */
  open(name: string, totalBytes: number): MemoryDisk;
  /** Resolves when the disk is kept as it is now, or later. */
  written(name: string): Promise<void>;
  /** For good. */
  remove(name: string): Promise<void>;
}

/** Reads all that there are. Throws `machine` for a file that can't be read, or is of another version; it stays. */
export async function openDiskFiles(folder: string): Promise<DiskFiles> {
  const disks = new Map<string, MemoryDisk>();
  for (const file of await filesIn(folder)) {
    const path = join(folder, file);
    for (const [name, kept] of Object.entries(await readDisks(path))) disks.set(name, revived(kept));
  }
  const members = new Map<number, Set<string>>();
  const fileOf = (name: string): number => Number.parseInt(sha256(name).slice(0, 8), 16) % FILES;
  const membersOf = (file: number): Set<string> => {
    const found = members.get(file) ?? new Set();
    members.set(file, found);
    return found;
  };
  for (const name of disks.keys()) membersOf(fileOf(name)).add(name);
  const writers = Array.from({ length: FILES }, (_, file) =>
    createShared(async () => {
      const kept = [...membersOf(file)].map((name) => [name, keptOf(disks.get(name) as MemoryDisk)]);
      const content = { version: STATE_VERSION, disks: Object.fromEntries(kept) };
      await writeDurably(join(folder, fileName(file)), `${JSON.stringify(content)}\n`);
    }),
  );
  const write = (file: number): Promise<void> => writers[file]?.() ?? Promise.resolve();
  return {
    open: (name, totalBytes) => {
      const disk = disks.get(name) ?? createMemoryDisk({ totalBytes });
      disks.set(name, disk);
      membersOf(fileOf(name)).add(name);
      return disk;
    },
    written: (name) => write(fileOf(name)),
    remove: async (name) => {
      disks.delete(name);
      membersOf(fileOf(name)).delete(name);
      await write(fileOf(name));
    },
  };
}

const fileName = (file: number): string => `${String(file).padStart(2, '0')}.json`;

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function readDisks(path: string): Promise<z.output<typeof fileSchema>['disks']> {
  const input = parseStateFile((await readIfPresent(path)) ?? '', path);
  const result = fileSchema.safeParse(input);
  if (result.success) return result.data.disks;
  throw new RigError('machine', `${path} can't be read: ${z.prettifyError(result.error).split('\n')[0]}`, {
    next: 'Put it right, or a backup of it in its place; nothing was changed.',
  });
}

function keptOf({ totalBytes, subvolumes, copies, trash, binding, health }: MemoryDisk): KeptDisk {
  const content = ({ usedBytes, files, compression }: z.infer<typeof contentSchema> | Content) => ({
    usedBytes,
    files: [...files] as [string, string][],
    compression,
  });
  return {
    totalBytes,
    subvolumes: [...subvolumes].map(([id, found]) => ({
      id,
      quotaBytes: found.quotaBytes,
      ...content(found),
    })),
    copies: [...copies.values()].map((copy) => ({
      id: copy.id,
      name: copy.name,
      complete: copy.complete,
      content: content(copy.content),
    })),
    trash: [...trash],
    binding,
    health,
  };
}

type Content = Pick<
  NonNullable<ReturnType<MemoryDisk['subvolumes']['get']>>,
  'usedBytes' | 'files' | 'compression'
>;

function revived(kept: z.output<typeof diskSchema>): MemoryDisk {
  const content = ({ usedBytes, files, compression }: z.output<typeof contentSchema>): Content => ({
    usedBytes,
    files: new Map(files),
    compression,
  });
  const disk = createMemoryDisk({ totalBytes: kept.totalBytes });
  for (const found of kept.subvolumes)
    disk.subvolumes.set(found.id, { quotaBytes: found.quotaBytes, ...content(found) });
  for (const copy of kept.copies)
    disk.copies.set(`${copy.id}.${copy.name}`, { ...copy, content: content(copy.content) });
  disk.trash = [...kept.trash];
  disk.binding = kept.binding;
  disk.health = kept.health;
  return disk;
}
