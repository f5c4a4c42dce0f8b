// The Node.js runtime that images run: the very binary of the npm package
// `node` that the rig itself runs on, or the same version for the engine's
// architecture where the rig runs on something else (a Mac, say).

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';
import { runCommand } from './command.ts';

/** Engines speak of architectures as `uname -m`, npm as Node's process.arch. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

/** The architecture of the engine's containers, as in Node's process.arch. */
export async function engineArchitecture(docker: Docker): Promise<string> {
  const info: { Architecture: string } = await docker.info();
  const architecture = ARCHITECTURES[info.Architecture];
  if (architecture !== undefined) return architecture;
  throw new RigError(
    'machine',
    `the Docker Engine runs on ${info.Architecture}, which Node.js has no package for`,
    {
      next: 'use an engine on x86-64 or arm64',
    },
  );
}

/** Path (below `root`) of a Linux binary of Node.js for this architecture; fetched once with npm where need be. */
export async function runtimeBinary(options: {
  readonly root: string;
  readonly architecture: string;
  readonly version: string;
}): Promise<string> {
  const { root, architecture, version } = options;
  const own = 'node_modules/node/bin/node';
  if (process.platform === 'linux' && process.arch === architecture && existsSync(join(root, own)))
    return own;

  const cache = 'node_modules/.cache/cobalt-rig';
  const folder = `${cache}/node-linux-${architecture}-${version}`;
  if (existsSync(join(root, folder))) return `${folder}/bin/node`;
  await mkdir(join(root, cache), { recursive: true });
  const temporary = await mkdtemp(join(root, cache, 'fetch-'));
  try {
    const name = `node-linux-${architecture}@${version}`;
    await runCommand('npm', ['pack', '--silent', '--pack-destination', temporary, name], {
      timeoutMs: 300_000,
    });
    const tarball = (await readdir(temporary)).find((file) => file.endsWith('.tgz'));
    if (tarball === undefined) throw new RigError('machine', `npm packed no ${name}`);
    await runCommand('tar', ['-xzf', join(temporary, tarball), '-C', temporary]);
    await rename(join(temporary, 'package'), join(root, folder)).catch((error: unknown) => {
      if (!existsSync(join(root, folder))) throw error; // Else another rig was faster.
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return `${folder}/bin/node`;
}
