// The Debian filesystem under the base image: from a registry where one
// answers, else made on this machine from the mirror that its apt uses.

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';
import { withTemporaryFolder } from '../../base/temporary-folder.ts';
import { aptInstall, aptUpdate, canInstallPackages, debianMirror } from './apt.ts';
import { commandSucceeds, runCommand } from './command.ts';
import { followStream, imageExists } from './progress.ts';

const RELEASE = 'trixie';
export const REGISTRY_IMAGE = `debian:${RELEASE}-slim`;
const OWN_IMAGE = `cobalt-rig/bootstrap:${RELEASE}`;
/** A registry that is silent for this long doesn't answer. */
const PULL_SILENCE_MS = 30_000;

export interface BootstrapOptions {
  /** One line a step. */
  readonly onProgress: (line: string) => void;
}

/** The name of an image on this engine with Debian's minimal system; whichever can be had first. */
export async function debianFilesystem(docker: Docker, options: BootstrapOptions): Promise<string> {
  for (const image of [REGISTRY_IMAGE, OWN_IMAGE]) {
    if (await imageExists(docker, image)) return image;
  }
  options.onProgress(`pulling ${REGISTRY_IMAGE}`);
  try {
    await pullImage(docker, REGISTRY_IMAGE);
    return REGISTRY_IMAGE;
  } catch (pullError) {
    options.onProgress(
      `no registry gives ${REGISTRY_IMAGE}; making Debian ${RELEASE} from this machine's mirror`,
    );
    await makeFilesystem(docker, pullError);
    return OWN_IMAGE;
  }
}

/** Pulls an image. Throws `machine` when the registry is silent for 30 s or refuses. */
async function pullImage(docker: Docker, image: string): Promise<void> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), PULL_SILENCE_MS);
  try {
    const stream = await docker.pull(image, { abortSignal: abort.signal });
    await followStream(docker, stream, () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), PULL_SILENCE_MS);
    });
  } catch (error) {
    const why = abort.signal.aborted ? `silent for ${PULL_SILENCE_MS} ms` : RigError.from(error).message;
    throw new RigError('machine', `cannot pull ${image}: ${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function makeFilesystem(docker: Docker, pullError: unknown): Promise<void> {
  const next = `give Docker access to a registry with ${REGISTRY_IMAGE}, or install mmdebstrap on a Debian machine`;
  if (!(await commandSucceeds('mmdebstrap', ['--version']))) {
    if (!(await canInstallPackages())) {
      throw new RigError('machine', `${RigError.from(pullError).message}; mmdebstrap is not here either`, {
        next,
        cause: pullError,
      });
    }
    await aptUpdate();
    await aptInstall(['mmdebstrap']);
  }
  await withTemporaryFolder('bootstrap', async (folder) => {
    const tarball = join(folder, 'root.tar');
    // Slim, as Debian's own image is: no documentation, and no fsync for files that a crash may take.
    const slim = ['doc', 'man', 'info', 'locale'].map(
      (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
    );
    await runCommand(
      'mmdebstrap',
      [
        '--variant=minbase',
        '--quiet',
        '--dpkgopt=force-unsafe-io',
        '--aptopt=Acquire::Languages "none"',
        ...slim,
        RELEASE,
        tarball,
        await debianMirror(),
      ],
      { timeoutMs: 300_000, next },
    );
    const [repo, tag] = OWN_IMAGE.split(':');
    await followStream(docker, await docker.importImage(createReadStream(tarball), { repo, tag }));
  });
}
