// The programs of this machine that a cluster of processes is made of.

import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { runCommand } from '../base/command.ts';
import { RigError } from '../base/errors.ts';
import type { Topology } from '../rig/topology.ts';

const LEAST_ETCD = { major: 3, minor: 4 };
const GET_ETCD =
  'Install the package etcd-server (Debian, Ubuntu), let rig doctor --fix --tests fetch it for this project alone, or name a binary in COBALT_RIG_ETCD.';

export interface EtcdProgram {
  readonly path: string;
  readonly version: string;
}

/** Where packages are unpacked that nobody has installed (cli/fetch-programs.ts); below the project's root. */
export const PROGRAMS_FOLDER = 'node_modules/.cache/cobalt-rig/programs';

/**
 * The binary that is named, or the first on the search path, or the one that was fetched. Throws `machine` when there is
 * none, or one that is too old.
 */
export async function findEtcd(options: {
  readonly named?: string | undefined;
  readonly searchPath: string;
  /** The project's. */
  readonly root: string;
}): Promise<EtcdProgram> {
  const { named, searchPath, root } = options;
  const fetched = join(root, PROGRAMS_FOLDER, 'usr/bin');
  const path = named === undefined ? onPath('etcd', [searchPath, fetched].join(delimiter)) : resolve(named);
  if (path === undefined) throw new RigError('machine', 'there is no etcd on the PATH', { next: GET_ETCD });
  if (!isExecutable(path)) throw new RigError('machine', `${path} is no program`, { next: GET_ETCD });
  const said = await runCommand({ file: path, args: ['--version'] });
  const [, version = '', major, minor] = /^etcd Version: ((\d+)\.(\d+)\.\S+)/m.exec(said) ?? [];
  if (version === '')
    throw new RigError('machine', `${path} is no etcd: ${said.slice(0, 100)}`, { next: GET_ETCD });
  const isOld = Number(major) < LEAST_ETCD.major || (Number(major) === 3 && Number(minor) < LEAST_ETCD.minor);
  if (!isOld) return { path, version };
  throw new RigError('machine', `${path} is etcd ${version}; 3.4 is the oldest that works`, {
    next: GET_ETCD,
  });
}

const onPath = (name: string, searchPath: string): string | undefined =>
  searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** libfaketime, where Debian's package puts it, or below the root where it was fetched; undefined where it is nowhere. */
export function findFakeTime(root: string): string | undefined {
  return ['/usr/lib', join(root, PROGRAMS_FOLDER, 'usr/lib')]
    .flatMap((library) =>
      existsSync(library) ? readdirSync(library).map((name) => join(library, name)) : [],
    )
    .map((folder) => join(folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path) && !SEPARATORS.test(path));
}

/** What the dynamic linker takes for the end of a path (ld.so(8), LD_PRELOAD). */
const SEPARATORS = /[\s:]/;

/** The daemon's entry that the topology asks for. Throws `invalid` for an image, and for a path where there is none. */
export function daemonEntry({ system }: Topology, root: string): string {
  if (system.kind === 'image') {
    throw new RigError(
      'invalid',
      `a cluster of processes is made of files, not of the image ${system.image}`,
      {
        next: 'Name a checkout, or use --mode containers.',
      },
    );
  }
  const given = resolve(system.kind === 'path' ? system.path : root);
  const entry =
    existsSync(given) && statSync(given).isDirectory() ? join(given, 'src/daemon/main.ts') : given;
  if (existsSync(entry)) return entry;
  throw new RigError('invalid', `there is no daemon at ${entry}`, {
    next: "Name a checkout of this repository, or the daemon's entry in one.",
  });
}
