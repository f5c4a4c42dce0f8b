// A node's image that this project didn't build, and how one is built of other sources than this project's own. No rig
// takes that one for its own: it has another name, and goes with whoever has its label.

import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';
import { buildImage } from './build.ts';
import { imageExists, isStatus } from './progress.ts';
import { planImages } from './recipes.ts';
import { engineArchitecture } from './runtime.ts';

/** Throws `invalid` for an image that the engine doesn't have: the rig pulls none. `host`: the engine's address. */
export async function requireImage(
  docker: Docker,
  { image, host }: { readonly image: string; readonly host: string },
): Promise<void> {
  if (await imageExists(docker, image)) return;
  throw new RigError('invalid', `the Docker Engine at ${host} has no image '${image}'`, {
    next: 'Build or pull it there, the rig pulls nothing; `docker image ls` shows what there is.',
  });
}

export interface SystemImageOptions {
  /** A folder with the sources of an image, and the lock file. */
  readonly root: string;
  /** Its name and tag. */
  readonly tag: string;
  /** The tag of the image that it stands on, which must be there. */
  readonly parentTag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly onProgress: (line: string) => void;
}

/** Throws `machine` with the last lines of a build that failed. Disposing of it removes the image. */
export async function buildSystemImage(
  docker: Docker,
  options: SystemImageOptions,
): Promise<AsyncDisposable> {
  const { root, tag } = options;
  const architecture = await engineArchitecture(docker);
  const plan = planImages({ root, architecture, only: ['node'] }).at(-1);
  if (plan === undefined) throw new RigError('internal', 'there is no recipe for a node');
  await buildImage(docker, { ...options, plan, architecture });
  return {
    [Symbol.asyncDispose]: async () => {
      const image = docker.getImage(tag);
      await image.remove({ force: true }).catch((cause: unknown) => {
        if (!isStatus(cause, 404)) throw new RigError('machine', `cannot remove the image ${tag}`, { cause });
      });
    },
  };
}
