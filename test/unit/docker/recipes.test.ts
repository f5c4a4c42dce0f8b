import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_IMAGES, IMAGE_NAMES, planImages, RECIPES } from '../../../src/rig/docker/recipes.ts';

const root = mkdtempSync(join(tmpdir(), 'recipes-'));
beforeAll(() => {
  for (const path of ['images', 'package.json', 'package-lock.json'])
    cpSync(path, join(root, path), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true }));

const hashes = (architecture = 'x64'): Record<string, string> =>
  Object.fromEntries(
    planImages({ root, architecture, only: IMAGE_NAMES }).map(({ recipe, hash }) => [recipe.name, hash]),
  );

/** The images whose hash differs after `change`. */
function changedBy(change: () => void): string[] {
  const before = hashes();
  change();
  const after = hashes();
  return IMAGE_NAMES.filter((name) => before[name] !== after[name]);
}

/** What Node.js loads with it of the project's own; types are gone by then. */
const importsOf = (path: string): readonly string[] =>
  [
    ...readFileSync(path, 'utf8').matchAll(
      /^(?:import|export)(?! type)[^;]*? from '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm,
    ),
  ]
    .map(([, fixed, dynamic]) => fixed ?? dynamic ?? '')
    .map((file) => normalize(join(dirname(path), file)));

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('planImages', () => {
  it('has a Dockerfile for every image, and parents before their children', () => {
    const seen: (string | null)[] = [null];
    for (const { name, parent } of RECIPES) {
      expect(existsSync(`images/${name}/Dockerfile`)).toBe(true);
      expect(seen).toContain(parent);
      seen.push(name);
    }
  });

  it('has in each image all that its TypeScript imports', () => {
    const plans = planImages({ root: '.', architecture: 'x64', only: IMAGE_NAMES });
    const imported = plans.flatMap(({ recipe, files }) =>
      files
        .filter((path) => path.endsWith('.ts'))
        .flatMap((path) =>
          importsOf(path).map((file) => ({ image: recipe.name, path, file, has: files.includes(file) })),
        ),
    );
    expect(imported.length).toBeGreaterThan(100);
    expect(imported.filter(({ has }) => !has)).toEqual([]);
  });

  it('gives the same hashes for the same files', () => {
    expect(changedBy(() => {})).toEqual([]);
  });

  it('rebuilds only the node image when the daemon changes', () => {
    expect(changedBy(() => write('src/daemon/main.ts', '1'))).toEqual(['node']);
  });

  it('rebuilds nothing when the rig changes', () => {
    expect(changedBy(() => write('src/rig/run.ts', '1'))).toEqual([]);
  });

  it('rebuilds only what stands on what has changed', () => {
    expect(changedBy(() => write('images/node-os/extra', '1'))).toEqual(['node-os', 'node']);
    expect(changedBy(() => write('images/base/extra', '1'))).toEqual([...IMAGE_NAMES]);
  });

  it('notices that a file was renamed', () => {
    write('images/etcd/a', 'same');
    expect(
      changedBy(() => {
        rmSync(join(root, 'images/etcd/a'));
        write('images/etcd/b', 'same');
      }),
    ).toEqual(['etcd']);
  });

  it('plans only what clusters are made of, unless it is told more', () => {
    const planned = planImages({ root, architecture: 'x64' }).map(({ recipe }) => recipe.name);
    expect(planned).toEqual(CLUSTER_IMAGES);
  });

  it('plans the same from the package that others install, whose lock file has another name', () => {
    const change = () => renameSync(join(root, 'package-lock.json'), join(root, 'npm-shrinkwrap.json'));
    expect(changedBy(change)).toEqual([]);
  });

  it('builds anew for another architecture', () => {
    expect(hashes('arm64').base).not.toBe(hashes('x64').base);
  });

  it('plans one image with what it stands on, with the hashes of a whole plan', () => {
    const plans = planImages({ root, architecture: 'x64', only: ['node'] });
    expect(plans.map(({ recipe }) => recipe.name)).toEqual(['base', 'node-os', 'node']);
    expect(plans.at(-1)?.hash).toBe(hashes().node);
  });
});
