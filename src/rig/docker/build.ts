// Builds one image from its plan: the build context, the arguments, and what to
// say when it fails. Through the engine's API, so that no Docker CLI is needed.

import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';
import { debianFilesystem } from './bootstrap.ts';
import { lastLines } from './command.ts';
import { listPackageFiles, readLockFile } from './files.ts';
import { followStream } from './progress.ts';
import { nodeVersion, type Plan } from './recipes.ts';
import { runtimeBinary } from './runtime.ts';

/** On every image of the rig: the hash of what it was built from. */
export const CONTENT_HASH_LABEL = 'dev.cobalt-rig.content-hash';

export interface BuildOptions {
  /** The repository's folder. */
  readonly root: string;
  readonly plan: Plan;
  readonly tag: string;
  /** The tag of the image that this one stands on; null for the base image. */
  readonly parentTag: string | null;
  /** The engine's, as in Node's process.arch. */
  readonly architecture: string;
  /** Further labels; none by default. */
  readonly labels?: Readonly<Record<string, string>>;
  /** One line a step. */
  readonly onProgress: (line: string) => void;
}

/** Throws `machine` with the last lines of a build that failed. */
export async function buildImage(docker: Docker, options: BuildOptions): Promise<void> {
  const { tag, plan, parentTag, onProgress } = options;
  const ground = parentTag === null ? await groundOf(docker, options) : { BASE_IMAGE: parentTag };
  onProgress(`building ${tag}`);
  const startedMs = performance.now();
  let output = '';
  try {
    const stream = await docker.buildImage(
      { context: options.root, src: [...contextOf(options, ground)] },
      {
        t: tag,
        dockerfile: `images/${plan.recipe.name}/Dockerfile`,
        buildargs: { ...ground },
        labels: { ...options.labels, [CONTENT_HASH_LABEL]: plan.hash },
        rm: true,
        forcerm: true,
      },
    );
    await followStream(docker, stream, (event) => {
      output += event.stream ?? '';
    });
  } catch (error) {
    const why = RigError.from(error).message;
    throw new RigError('machine', `building ${tag} failed: ${why}; last output: ${lastLines(output, 3)}`, {
      next: `see images/${plan.recipe.name}/Dockerfile; \`rig doctor\` tells about disk space`,
      cause: error,
    });
  }
  onProgress(`built ${tag} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** Build arguments, by name. */
type Ground = Readonly<{ BASE_IMAGE: string; NODE_BINARY?: string }>;

async function groundOf(docker: Docker, options: BuildOptions): Promise<Ground> {
  const { root, architecture, onProgress } = options;
  const lock = readLockFile(root);
  return {
    BASE_IMAGE: await debianFilesystem(docker, { onProgress }),
    NODE_BINARY: await runtimeBinary({ root, architecture, version: nodeVersion(lock) }),
  };
}

function contextOf({ root, plan }: BuildOptions, ground: Ground): readonly string[] {
  const packages = plan.closure.flatMap(({ path }) => listPackageFiles(root, path));
  return [...plan.files, ...packages, ...(ground.NODE_BINARY === undefined ? [] : [ground.NODE_BINARY])];
}
