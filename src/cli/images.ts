// `rig images`: builds the images that are missing or out of date.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { readSettings } from '../cluster/settings.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { CLUSTER_IMAGES, IMAGE_NAMES, type ImageName } from '../rig/docker/recipes.ts';
import { help, printJson } from './output.ts';

export function registerImages(program: Command): void {
  program
    .command('images')
    .argument('[name...]', `of ${IMAGE_NAMES.join(', ')}; default: all that a cluster takes`)
    .option('--json', 'print the tags as JSON')
    .addHelpText('after', help(['rig images'], '{name: tag}'))
    .action(async (names: readonly string[], { json }: { readonly json?: boolean }) => {
      const only = names.length === 0 ? CLUSTER_IMAGES : names.map(imageNamed);
      const docker = await connectEngine(readSettings().engine);
      const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
      const images = await ensureImages(docker, { root: ROOT_FOLDER, onProgress, only });
      if (json === true) {
        printJson(Object.fromEntries(only.map((name) => [name, images[name]])));
        return;
      }
      for (const name of only) process.stdout.write(`${images[name]}\n`);
    });
}

function imageNamed(text: string): ImageName {
  const name = IMAGE_NAMES.find((each) => each === text);
  if (name !== undefined) return name;
  throw new RigError('invalid', `there is no image '${text}'`, {
    next: `Give one of ${IMAGE_NAMES.join(', ')}.`,
  });
}
