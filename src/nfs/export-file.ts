// The file that an export is configured from.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ExportRule } from '../model/export.ts';
import { spelledRules } from './ganesha-config.ts';

/** Whole, or not at all. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, content, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

/** None if there is no such file. */
export async function readSpelling(path: string): Promise<readonly ExportRule[]> {
  const file = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return spelledRules(file);
}
