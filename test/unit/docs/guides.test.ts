// The documents that tell of the sources and of the doctor tell of all there is; links lead somewhere.

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PROCESS_NEEDS } from '../../../src/cli/process-needs.ts';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import { CHECK_NAMES } from '../../../src/rig/checks/catalogue.ts';
import { NEEDS } from '../../../src/rig/docker/needs.ts';

const read = (path: string): string => readFileSync(join(ROOT_FOLDER, path), 'utf8');
/** Of a relative link, without its fragment. */
const LINK = /\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g;
const CODE = /`([^`\n]+)`/g;
const PATH = /^[\w.-]+\/(?:[\w.-]+\/?)*$/;

it.each(['README.md', 'docs/architecture.md'])('%s tells of every folder of the sources', (document) => {
  const folders = readdirSync(join(ROOT_FOLDER, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const text = read(document);
  expect(folders.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual(
    [],
  );
});

it('every path that the architecture names is there', () => {
  const paths = [...read('docs/architecture.md').matchAll(CODE)]
    .map(([, code = '']) => code)
    .filter((code) => PATH.test(code));
  expect(paths.length).toBeGreaterThan(20);
  const isThere = (path: string): boolean =>
    ['src', '.'].some((root) => existsSync(join(ROOT_FOLDER, root, path)));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});

it('README has a line on each check', () => {
  const [, glossary = ''] =
    /^\| check \| what it holds the cluster to \|\n(.*?)\n\n/ms.exec(read('README.md')) ?? [];
  const told = [...glossary.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(told).toEqual([...CHECK_NAMES].sort());
});

it('troubleshooting has a word on each of the findings of the doctor', () => {
  const rows = read('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(CODE)].map(([, id]) => id));
  expect(told.sort()).toEqual([...NEEDS, ...PROCESS_NEEDS].map(({ id }) => id).sort());
});

it.each(['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT_FOLDER })])(
  'the links of %s lead somewhere',
  (document) => {
    const links = [...read(document).matchAll(LINK)].map(([, path = '']) => path);
    const folder = join(ROOT_FOLDER, dirname(document));
    expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  },
);
