// Temporary folders that carry the number of the process that made them, so that what one left
// which was killed can be told from what another one is using.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from './process-start.ts';

/** `cobalt-rig-<what>-<pid>-<its start>-<random>`. */
const NAME = /^cobalt-rig-[a-z]+-(\d+)-(\d+)-\w+$/;

/** Resolves to what `use` makes of a new folder, which is gone afterwards; so are those of processes that are no more. */
export async function withTemporaryFolder<T>(
  what: string,
  use: (folder: string) => Promise<T>,
  parent: string = tmpdir(),
): Promise<T> {
  await removeAbandonedFolders(parent);
  const folder = await mkdtemp(
    join(parent, `cobalt-rig-${what}-${process.pid}-${startOf(process.pid) ?? 'unknown'}-`),
  );
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves to the names of those that were removed. */
export async function removeAbandonedFolders(parent: string = tmpdir()): Promise<readonly string[]> {
  const abandoned = (await readdir(parent)).filter((name) => {
    const [, pid, start] = NAME.exec(name) ?? [];
    return pid !== undefined && startOf(Number(pid)) !== start;
  });
  for (const name of abandoned) await rm(join(parent, name), { recursive: true, force: true });
  return abandoned;
}
