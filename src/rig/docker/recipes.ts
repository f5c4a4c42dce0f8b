// What each image is made of, as data, and the hash that tells whether an
// image that exists was made of the same.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClosurePackage, type LockFile, productionClosure } from './closure.ts';
import { listFiles, readLockFile } from './files.ts';

/** What clusters and the rig are made of. */
export const CLUSTER_IMAGES = [
  'base',
  'etcd',
  'node-os',
  'node',
  'consumer-os',
  'consumer',
  'links',
  'reaper',
] as const;
/** And those that are built only when they are asked for. */
export const IMAGE_NAMES = [...CLUSTER_IMAGES, 'logs', 'front-door', 'metrics'] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

export interface Recipe {
  readonly name: ImageName;
  /** The image that BASE_IMAGE names; null stands on a Debian filesystem. */
  readonly parent: ImageName | null;
  /** Files and folders of the repository, as in the build context. */
  readonly sources: readonly string[];
  /** npm packages whose production closure is in the context too. */
  readonly packages: readonly string[];
}

/** Of programs that follow the nodes of a cluster. */
const BESIDE_A_CLUSTER: readonly string[] = [
  'images/together',
  'package.json',
  ...['clock', 'errors', 'log', 'random', 'retry'].map((name) => `src/base/${name}.ts`),
  'src/model/names.ts',
  'src/rig/http.ts',
  'src/rig/overlay',
  'src/rig/sse.ts',
];

/** Parents come before their children. */
export const RECIPES: readonly Recipe[] = [
  { name: 'base', parent: null, sources: ['images/base'], packages: [] },
  { name: 'etcd', parent: 'base', sources: ['images/etcd'], packages: [] },
  {
    name: 'node-os',
    parent: 'base',
    sources: ['images/node-os'],
    packages: ['@fastify/rate-limit', 'dbus-native', 'etcd3', 'fastify', 'prom-client', 'zod'],
  },
  {
    name: 'node',
    parent: 'node-os',
    sources: [
      'images/node',
      'package.json',
      ...['base', 'model', 'kv', 'storage', 'nfs', 'network', 'daemon'].map((folder) => `src/${folder}`),
      'src/rig/clock',
    ],
    packages: [],
  },
  { name: 'consumer-os', parent: 'base', sources: ['images/consumer-os'], packages: [] },
  {
    name: 'consumer',
    parent: 'consumer-os',
    sources: [
      'images/consumer',
      'package.json',
      ...['clock', 'errors', 'log', 'random', 'serial', 'turns'].map((name) => `src/base/${name}.ts`),
      ...['network', 'parse', 'reader', 'words'].map((name) => `src/model/${name}.ts`),
      'src/rig/consumer',
      ...['follower', 'http', 'instructions', 'sse'].map((name) => `src/rig/${name}.ts`),
    ],
    packages: ['zod'],
  },
  { name: 'links', parent: 'base', sources: ['images/links'], packages: [] },
  { name: 'reaper', parent: 'base', sources: ['images/reaper'], packages: [] },
  { name: 'logs', parent: 'base', sources: ['images/logs'], packages: [] },
  {
    name: 'front-door',
    parent: 'base',
    sources: ['images/front-door', 'src/rig/front-door', ...BESIDE_A_CLUSTER],
    packages: ['zod'],
  },
  {
    name: 'metrics',
    parent: 'base',
    sources: ['images/metrics', 'src/rig/metrics', ...BESIDE_A_CLUSTER],
    packages: ['zod'],
  },
];

/** A recipe with its inputs found; `hash` is SHA-256 in hex over all of them and the parent's hash. */
export interface Plan {
  readonly recipe: Recipe;
  readonly hash: string;
  readonly files: readonly string[];
  readonly closure: readonly ClosurePackage[];
}

/** Plans `only` (default {@link CLUSTER_IMAGES}) and what they stand on, parents first. `architecture` is the engine's, as in Node's process.arch. */
export function planImages(options: {
  readonly root: string;
  readonly architecture: string;
  readonly only?: readonly ImageName[];
}): readonly Plan[] {
  const { root, architecture, only = CLUSTER_IMAGES } = options;
  const lock = readLockFile(root);
  const wanted = new Set(only.flatMap(ancestry));
  const plans = new Map<ImageName, Plan>();
  for (const recipe of RECIPES.filter(({ name }) => wanted.has(name))) {
    const files = listFiles(root, recipe.sources);
    const closure = productionClosure(lock, recipe.packages);
    const parentHash = recipe.parent === null ? undefined : plans.get(recipe.parent)?.hash;
    const ground = parentHash ?? `node ${nodeVersion(lock)} ${architecture}`;
    plans.set(recipe.name, { recipe, files, closure, hash: hashInputs({ root, ground, files, closure }) });
  }
  return [...plans.values()];
}

/** An image and all that it stands on. */
function ancestry(name: ImageName): readonly ImageName[] {
  const parent = RECIPES.find((recipe) => recipe.name === name)?.parent ?? null;
  return parent === null ? [name] : [name, ...ancestry(parent)];
}

/** The pinned version of the Node.js runtime. */
export function nodeVersion(lock: LockFile): string {
  return lock.packages['node_modules/node']?.version ?? 'unknown';
}

function hashInputs(options: {
  readonly root: string;
  readonly ground: string;
  readonly files: readonly string[];
  readonly closure: readonly ClosurePackage[];
}): string {
  const hash = createHash('sha256').update(`1\0${options.ground}\0`);
  for (const { path, identity } of options.closure) hash.update(`${path}\0${identity}\0`);
  for (const path of options.files) {
    const content = readFileSync(join(options.root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
