// `rig images`: builds the images that are missing or out of date.

import type { Command } from 'commander';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { help, printJson } from './output.ts';
import { ROOT_FOLDER } from './root.ts';
import { readSettings } from './settings.ts';

export function registerImages(program: Command): void {
  program
    .command('images')
    .description('build the images whose inputs have changed, and print the tags of all')
    .option('--json', 'print the tags as JSON')
    .addHelpText('after', help(['rig images'], '{name: tag}'))
    .action(async ({ json }: { readonly json?: boolean }) => {
      const docker = await connectEngine(readSettings().engine);
      const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
      const images = await ensureImages(docker, { root: ROOT_FOLDER, onProgress });
      if (json === true) {
        printJson(images);
        return;
      }
      for (const tag of Object.values(images)) process.stdout.write(`${tag}\n`);
    });
}
