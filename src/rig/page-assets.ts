// What report.html runs: uPlot and the page's own modules, read from where they
// are and joined into scripts that need no server to load them from.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { RigError } from '../base/errors.ts';
import type { PageAssets } from './report/html.ts';

const MAIN = join(import.meta.dirname, 'report/page/main.js');
const IMPORT = /^import \{[^}]*\} from '(\.\/[^']+)';$/gm;

/** Read anew each time: it takes a few milliseconds, and once a run. */
export function pageAssets(): PageAssets {
  const folder = join(dirname(createRequire(import.meta.url).resolve('uplot')), '../dist');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    scripts: [read('uPlot.iife.min.js'), joinModules(MAIN)].map(asScript),
    styles: read('uPlot.min.css'),
  };
}

/**
 * One script of a module and all that it imports, each after what it needs. They share one scope,
 * so no two may give one name to different things; the engine refuses such a script whole.
 */
export function joinModules(main: string): string {
  const parts = new Map<string, string>();
  const add = (path: string): void => {
    if (parts.has(path)) return;
    const source = readFileSync(path, 'utf8');
    parts.set(path, '');
    for (const [, name = ''] of source.matchAll(IMPORT)) add(join(dirname(path), name));
    // Again at the end: a map keeps the order in which its keys came.
    parts.delete(path);
    parts.set(path, source.replaceAll(IMPORT, '').replaceAll(/^export /gm, ''));
  };
  add(main);
  return `'use strict';\n(() => {\n${[...parts.values()].join('\n')}\n})();`;
}

function asScript(text: string): PageAssets['scripts'][number] {
  if (/<\/script|<!--/i.test(text))
    throw new RigError('internal', 'a script of the page would end its own element');
  return { text, sha256: createHash('sha256').update(text).digest('base64') };
}
