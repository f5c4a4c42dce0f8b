// The files of a build context, in a stable order.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

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
