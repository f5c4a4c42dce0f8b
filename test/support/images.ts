// The images that tests run in: exactly those that this working copy makes, whatever another one has tagged since.

import type { ImageName } from '../../src/rig/docker/recipes.ts';

const VARIABLE = 'COBALT_RIG_TEST_IMAGES';

/** For the set-up (containers-setup.ts), before there are test files. */
export function setTestImages(tags: Readonly<Record<ImageName, string>>): void {
  process.env[VARIABLE] = JSON.stringify(tags);
}

export function testImage(name: ImageName): string {
  const tags = JSON.parse(process.env[VARIABLE] ?? '{}') as Partial<Record<ImageName, string>>;
  const tag = tags[name];
  if (tag === undefined)
    throw new Error(`no image ${name}: this kind of test is not set up by containers-setup.ts`);
  return tag;
}
