// A folder with all that are above it. Node.js's own way of making them goes on for ever
// where a folder takes none (/proc), and nothing but SIGKILL ends it.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Nothing happens when it is there. Throws what the system says of the first that can't be made. */
export function makeFolder(path: string): void {
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // There already; a file of that name is what whoever writes into it is told of.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
