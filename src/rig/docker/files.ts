// The files of a build context, in a stable order.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LockFile } from './closure.ts';

/** What no program reads at run time: it would only make packages slow to send and to import. */
const NOT_AT_RUN_TIME =
  /\.(d\.[cm]?ts|map|md|markdown|flow|tsbuildinfo)$|(^|\/)(LICENSE|license|\.github)(\/|$)/;

/** Every file below `sources` (paths below `root`), sorted; a source that doesn't exist has none. */
export function listFiles(root: string, sources: readonly string[]): readonly string[] {
  return sources.flatMap((source) => walk(root, source, () => true)).sort();
}

/** Every file of an installed npm package that a program may read, without the packages nested in it. */
export function listPackageFiles(root: string, path: string): readonly string[] {
  const nested = join(path, 'node_modules');
  return walk(root, path, (file) => file !== nested && !NOT_AT_RUN_TIME.test(file)).sort();
}

function walk(root: string, path: string, keep: (path: string) => boolean): string[] {
  if (!keep(path)) return [];
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => walk(root, `${path}/${name}`, keep));
}

/** What npm has installed below `root`: as the repository says it, or the package that was made of it. */
export function readLockFile(root: string): LockFile {
  const names = ['package-lock.json', 'npm-shrinkwrap.json'].map((name) => join(root, name));
  const path = names.find((name) => statSync(name, { throwIfNoEntry: false }) !== undefined) ?? names[0];
  return JSON.parse(readFileSync(path as string, 'utf8')) as LockFile;
}
