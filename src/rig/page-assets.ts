// What report.html and the console's page run: uPlot and the pages' own modules, read from
// where they are and joined into scripts that need nothing else to be loaded.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { CONSOLE_STYLES } from './console/styles.ts';
import type { PageAssets } from './report/html.ts';

const MAIN = join(import.meta.dirname, 'report/page/main.js');
const CONSOLE_MAIN = join(import.meta.dirname, 'console/page/main.js');
const IMPORT = /^import \{([^}]*)\} from '(\.\.?\/[^']+)';$/gm;
const EXPORT = /^export (?:async )?(?:function|const|let) (\w+)/gm;

/** Read anew each time: it takes a few milliseconds, and once a run. */
export function pageAssets(): PageAssets {
  const folder = join(dirname(createRequire(import.meta.url).resolve('uplot')), '../dist');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    scripts: [read('uPlot.iife.min.js'), joinModules(MAIN)].map(asScript),
    styles: read('uPlot.min.css'),
  };
}

/** As {@link pageAssets}. */
export const consoleAssets = (): PageAssets => ({
  scripts: [asScript(joinModules(CONSOLE_MAIN))],
  styles: CONSOLE_STYLES,
});

/**
 * One script of a module and all that it imports, each after what it needs, and in a scope of its own: what two of them
 * call by one name are two things.
 */
export function joinModules(main: string): string {
  const parts = new Map<string, string>();
  const scopes = new Map<string, string>();
  const add = (path: string): void => {
    if (scopes.has(path)) return;
    scopes.set(path, `module${scopes.size}`);
    const source = readFileSync(path, 'utf8');
    const pathOf = (name: string): string => join(dirname(path), name);
    for (const [, , name = ''] of source.matchAll(IMPORT)) add(pathOf(name));
    const given = [...source.matchAll(EXPORT)].map(([, name]) => name).join(', ');
    const body = source
      .replaceAll(
        IMPORT,
        (_, names: string, name: string) => `const {${names}} = ${scopes.get(pathOf(name))};`,
      )
      .replaceAll(/^export /gm, '');
    parts.set(path, `const ${scopes.get(path)} = (() => {\n${body}\nreturn { ${given} };\n})();`);
  };
  add(main);
  return `'use strict';\n(() => {\n${[...parts.values()].join('\n')}\n})();`;
}

function asScript(text: string): PageAssets['scripts'][number] {
  if (/<\/script|<!--/i.test(text))
    throw new RigError('internal', 'a script of the page would end its own element');
  return { text, sha256: createHash('sha256').update(text).digest('base64') };
}
