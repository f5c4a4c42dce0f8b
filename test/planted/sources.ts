// Where the planted bugs are kept, and where each is planted: in a copy of what images are built from.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { type PlantedBug, parseBug, withBug } from './bug.ts';

const SUFFIX = '.patch';
/** All that planning and building an image reads. */
const SOURCES = ['images', 'package.json', 'package-lock.json', 'src'];

/** All that there are, by name. */
export function readBugs(): readonly PlantedBug[] {
  const folder = import.meta.dirname;
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .sort()
    .map((file) => parseBug(basename(file, SUFFIX), readFileSync(join(folder, file), 'utf8')));
}

/** A copy of the sources with the bug in them. Disposing of it removes the copy. */
export function plant(bug: PlantedBug): Disposable & { readonly root: string } {
  // Before there is a copy to remove.
  const changed = withBug(bug, (path) => readFileSync(join(ROOT_FOLDER, path), 'utf8'));
  using copying = new DisposableStack();
  const root = mkdtempSync(join(tmpdir(), 'cobalt-rig-planted-'));
  copying.defer(() => rmSync(root, { recursive: true, force: true }));
  for (const path of SOURCES) cpSync(join(ROOT_FOLDER, path), join(root, path), { recursive: true });
  for (const [path, text] of changed) writeFileSync(join(root, path), text);
  const copied = copying.move();
  return { root, [Symbol.dispose]: () => copied.dispose() };
}
