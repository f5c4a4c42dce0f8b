// Which installed npm packages a program needs at run time, computed from the
// lock file alone: what an image must hold, and no more. Pure.

import { RigError } from '../../base/errors.ts';

/** The part of package-lock.json (version 3) that is read; keys of `packages` are paths. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** One package of the closure: `path` below the repository, `identity` changes whenever its content may. */
export interface ClosurePackage {
  readonly path: string;
  readonly identity: string;
}

/**
 * The packages reached from `roots` through dependencies, required peers and
 * whatever optional ones the lock holds; sorted by path. Names are resolved as
 * Node does: in the package's own node_modules, then in each one above it.
 * Throws `invalid` when a required package isn't in the lock.
 */
export function productionClosure(lock: LockFile, roots: readonly string[]): readonly ClosurePackage[] {
  const found = new Map<string, ClosurePackage>();
  const pending = roots.map((name) => ({ name, from: '', required: true }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const path = resolvePackage(lock, next.name, next.from);
    if (path === undefined) {
      if (!next.required) continue;
      throw new RigError(
        'invalid',
        `package-lock.json has no ${next.name}, which ${next.from || 'an image'} needs`,
        {
          next: 'run `npm install`',
        },
      );
    }
    if (found.has(path)) continue;
    const locked = lock.packages[path] ?? {};
    found.set(path, { path, identity: `${locked.version ?? ''} ${locked.integrity ?? ''}` });
    for (const edge of edges(locked)) pending.push({ ...edge, from: path });
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function edges(locked: LockedPackage): readonly { name: string; required: boolean }[] {
  const optional = Object.keys(locked.optionalDependencies ?? {});
  const peers = Object.keys(locked.peerDependencies ?? {});
  return [
    ...Object.keys(locked.dependencies ?? {}).map((name) => ({ name, required: !optional.includes(name) })),
    ...optional.map((name) => ({ name, required: false })),
    ...peers
      .filter((name) => locked.peerDependenciesMeta?.[name]?.optional !== true)
      .map((name) => ({ name, required: true })),
  ];
}

function resolvePackage(lock: LockFile, name: string, from: string): string | undefined {
  for (let folder = from; ; folder = parentFolder(folder)) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (folder === '') return undefined;
  }
}

/** The folder whose node_modules holds this package: '' for one at the top. */
function parentFolder(path: string): string {
  const at = path.lastIndexOf('node_modules/');
  return at <= 0 ? '' : path.slice(0, at - 1);
}
