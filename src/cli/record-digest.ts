// Whether two runs recorded the same.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ETCD_EVENTS_FILE, HISTORY_FILE, LOGS_FOLDER, notWhole } from '../rig/record-files.ts';

/** Of all that was recorded, byte by byte. Throws `invalid` where a part of it is missing. */
export function digestOfRecord(folder: string): string {
  try {
    return digestOf(folder);
  } catch (cause) {
    throw notWhole(folder, (cause as Error).message, cause);
  }
}

function digestOf(folder: string): string {
  const logs = readdirSync(join(folder, LOGS_FOLDER), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
  const files = [HISTORY_FILE, ETCD_EVENTS_FILE, ...logs];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}
