// `rig images`: builds the images that are missing or out of date.

import type { Command } from 'commander';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { readSettings } from '../cluster/settings.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';

export function registerImages(program: Command): void {
  program
    .command('images')
    .alias('build')
    .description('build the images whose inputs have changed, and print the tags of all')
    .action(async () => {
      const docker = await connectEngine(readSettings().engine);
      const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
      const images = await ensureImages(docker, { root: ROOT_FOLDER, onProgress });
      for (const tag of Object.values(images)) process.stdout.write(`${tag}\n`);
    });
}
