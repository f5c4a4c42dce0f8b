// The rig's images on an engine: each is built only when what it is made of has
// changed, and tagged with the hash of that.

import type Docker from 'dockerode';
import { buildImage, CONTENT_HASH_LABEL } from './build.ts';
import { inspectImage, isStatus } from './progress.ts';
import { CLUSTER_IMAGES, IMAGE_NAMES, type ImageName, type Plan, planImages } from './recipes.ts';
import { engineArchitecture } from './runtime.ts';

const REPOSITORY = 'cobalt-rig';
/** An older image is removed only after this long: another checkout may be about to start it. */
const PRUNE_AFTER_MS = 24 * 60 * 60 * 1000;

export interface EnsureImagesOptions {
  /** The repository's folder. */
  readonly root: string;
  /** One line a step; nothing when everything is up to date. */
  readonly onProgress: (line: string) => void;
  /** Default: {@link CLUSTER_IMAGES}. What these stand on is built too. */
  readonly only?: readonly ImageName[];
}

/** The exact tag of each image. */
export type ImageSet = Readonly<Record<ImageName, string>>;

/** An image's name and the first 12 digits of its hash. */
function imageTag({ recipe, hash }: Pick<Plan, 'recipe' | 'hash'>): string {
  return `${REPOSITORY}/${recipe.name}:${hash.slice(0, 12)}`;
}

/**
 * Makes every image exist on this engine, built from what `root` holds now,
 * and tags it `cobalt-rig/<name>:latest` as well. Resolves to the exact tags;
 * of images that `only` left out, these need not exist.
 * Throws `machine` with the last lines of a build that failed.
 */
export async function ensureImages(docker: Docker, options: EnsureImagesOptions): Promise<ImageSet> {
  const { root, onProgress, only = CLUSTER_IMAGES } = options;
  const architecture = await engineArchitecture(docker);
  const all = planImages({ root, architecture, only: IMAGE_NAMES });
  const plans = planImages({ root, architecture, only });
  const missing = new Set(await missingPlans(docker, plans));
  const tags = Object.fromEntries(all.map((plan) => [plan.recipe.name, imageTag(plan)])) as ImageSet;

  const builds = new Map<ImageName, Promise<void>>();
  const build = async (plan: Plan): Promise<void> => {
    const { name, parent } = plan.recipe;
    if (parent !== null) await builds.get(parent);
    if (missing.has(plan)) {
      const parentTag = parent === null ? null : tags[parent];
      await buildImage(docker, { root, plan, tag: tags[name], parentTag, architecture, onProgress });
    }
    await docker.getImage(tags[name]).tag({ repo: `${REPOSITORY}/${name}`, tag: 'latest' });
  };
  // Each begins as soon as its parent is there; plans come parents first.
  for (const plan of plans) builds.set(plan.recipe.name, build(plan));
  // All are awaited before the first failure is reported: nothing goes on unseen.
  const results = await Promise.allSettled(builds.values());
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  if (missing.size > 0) await pruneOldImages(docker, new Set(Object.values(tags)));
  return tags;
}

/** The names of the images that `ensureImages` would build now. */
export async function staleImages(
  docker: Docker,
  options: { readonly root: string },
): Promise<readonly ImageName[]> {
  const plans = planImages({ ...options, architecture: await engineArchitecture(docker) });
  return (await missingPlans(docker, plans)).map((plan) => plan.recipe.name);
}

async function missingPlans(docker: Docker, plans: readonly Plan[]): Promise<readonly Plan[]> {
  const found = await Promise.all(plans.map((plan) => inspectImage(docker, imageTag(plan))));
  return plans.filter((plan, index) => found[index]?.labels[CONTENT_HASH_LABEL] !== plan.hash);
}

/** Removes tags of earlier builds. The engine itself refuses (409) while a container uses one. */
async function pruneOldImages(docker: Docker, current: ReadonlySet<string>): Promise<void> {
  const images = await docker.listImages({ filters: { label: [CONTENT_HASH_LABEL] } });
  const old = images.filter(({ RepoTags, Created }) => {
    const tags = RepoTags ?? [];
    const isCurrent = tags.some((tag) => current.has(tag) || tag.endsWith(':latest'));
    return !isCurrent && Date.now() - Created * 1000 > PRUNE_AFTER_MS;
  });
  for (const tag of old.flatMap(({ RepoTags }) => RepoTags ?? [])) {
    if (!tag.startsWith(`${REPOSITORY}/`)) continue;
    await docker
      .getImage(tag)
      .remove()
      .catch((error: unknown) => {
        if (!isStatus(error, 404, 409)) throw error;
      });
  }
}
