// Defragmenting a volume, and compressing or decompressing what is in it, while clients go on using it.

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runLongCommand } from '../base/stream-command.ts';
import type { Compression } from '../model/volume.ts';
import { DECOMPRESS_PROGRAM } from './btrfs-decompress.ts';

/** As BTRFS has it. zstd's level is 3 if none is named, and older kernels and tools can't name one. */
const ALGORITHMS: Readonly<Record<Compression, string>> = {
  none: 'none',
  lzo: 'lzo',
  zlib: 'zlib',
  'zstd:3': 'zstd',
};

/**
 * Rewrites everything below `path`. Each command ends when the signal fires; what it has done by then
 * stays. What clones and copies share with the volume is shared no more (btrfs-filesystem(8)), and
 * what is decompressed may take the volume over its quota: it then grows no further.
 */
export async function rewriteTree(options: {
  readonly path: string;
  /** Each run makes a folder of its own whose name begins so, on the same disk. Those of earlier runs go. */
  readonly workPrefix: string;
  /** Null: as it is. */
  readonly compression: Compression | null;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { path, compression, signal } = options;
  const run = (file: string, ...args: readonly string[]): Promise<void> =>
    runLongCommand({ file, args, signal });
  const defragment = (...how: readonly string[]): Promise<void> =>
    run('btrfs', 'filesystem', 'defragment', '-r', '-f', ...how, path);

  if (compression === null) return defragment();
  const algorithm = ALGORITHMS[compression];
  // By itself first: a disk or a quota that refuses it is heard of; find would not tell.
  await run('btrfs', 'property', 'set', path, 'compression', algorithm);
  // What is new takes it from its folder; what is there must be told one by one.
  await run(
    'find',
    path,
    '-xdev',
    '(',
    '-type',
    'd',
    '-o',
    '-type',
    'f',
    ')',
    ...['-execdir', 'btrfs', 'property', 'set', '{}', 'compression', algorithm, ';'],
  );
  if (compression !== 'none') return defragment(`-c${algorithm}`);
  await decompress(options, run);
}

async function decompress(
  { path, workPrefix }: { readonly path: string; readonly workPrefix: string },
  run: (file: string, ...args: readonly string[]) => Promise<void>,
): Promise<void> {
  await clearAway(workPrefix);
  await mkdir(dirname(workPrefix), { recursive: true });
  const workFolder = await mkdtemp(`${workPrefix}.`);
  const temporary = join(workFolder, 'decompressed');
  try {
    await writeFile(temporary, '');
    // The mount might compress by itself.
    await run('btrfs', 'property', 'set', temporary, 'compression', 'none');
    await run(
      'find',
      path,
      '-xdev',
      '-type',
      'f',
      '-size',
      '+0',
      ...['-execdir', 'perl', '-e', DECOMPRESS_PROGRAM, '--', temporary, '{}', '+'],
    );
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/**
 * What runs that were cut short have left. One whose agent was killed may still be at work: it then
 * ends with its folder, at the next files that it comes to.
 */
async function clearAway(workPrefix: string): Promise<void> {
  const folder = dirname(workPrefix);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const prefix = basename(workPrefix);
  for (const name of names) {
    const isOurs = name === prefix || name.startsWith(`${prefix}.`);
    if (isOurs) await rm(join(folder, name), { recursive: true, force: true });
  }
}
