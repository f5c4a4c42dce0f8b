// `rig render`: the compose files for exploration, to the terminal or to `compose/`.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { GOLDEN_NAMES, renderGolden } from '../rig/compose/goldens.ts';
import { help } from './output.ts';

const FOLDER = join(import.meta.dirname, '../../compose');

export function registerRender(program: Command): void {
  program
    .command('render')
    .argument('[name]', `one of ${GOLDEN_NAMES.join(', ')}; all when left out`)
    .option('--write', 'write compose/<name>.yaml instead of printing')
    .addHelpText('after', help(['rig render cobalt-3', 'rig render --write']))
    .action(async (name: string | undefined, options: { readonly write?: boolean }) => {
      for (const each of name === undefined ? GOLDEN_NAMES : [name]) {
        const text = renderGolden(each);
        if (text === undefined) {
          throw new RigError('invalid', `there is no compose file '${each}'`, {
            next: `Choose one of ${GOLDEN_NAMES.join(', ')}.`,
          });
        }
        if (options.write !== true) {
          process.stdout.write(text);
          continue;
        }
        await mkdir(FOLDER, { recursive: true });
        const path = join(FOLDER, `${each}.yaml`);
        await writeFile(path, text);
        process.stdout.write(`wrote ${path}\n`);
      }
    });
}
