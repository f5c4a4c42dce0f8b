// A document, followed to the letter in a copy of the sources: its files are written, its
// changes made, its commands run. A block of `ts` begins with the path of the file that it
// is; one of `diff` says which lines come in the place of which; those of `sh` are run.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

/** All that the commands of the documents read. */
const SOURCES = ['images', 'jest.config.js', 'package.json', 'scripts', 'src', 'test'];
const BLOCK = /^```(\w+)\n(.*?)^```$/gms;
const COMMAND_ENDS_WITHIN_MS = 100_000;

export interface Followed extends Disposable {
  /** What each command printed, in order. Rejects for one that ends with another code than 0. */
  readonly printed: readonly string[];
}

export async function follow(document: string): Promise<Followed> {
  const root = mkdtempSync(join(tmpdir(), 'cobalt-rig-docs-'));
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  try {
    for (const path of SOURCES) cpSync(join(ROOT_FOLDER, path), join(root, path), { recursive: true });
    symlinkSync(join(ROOT_FOLDER, 'node_modules'), join(root, 'node_modules'));
    const printed: string[] = [];
    for (const [, language, text = ''] of readFileSync(join(ROOT_FOLDER, document), 'utf8').matchAll(BLOCK)) {
      if (language === 'ts') write(root, text);
      else if (language === 'diff') change(root, text);
      else for (const line of text.trim().split('\n')) printed.push(await run(root, line));
    }
    return { printed, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function write(root: string, text: string): void {
  const [first = '', ...rest] = text.split('\n');
  const path = /^\/\/ ((?:src|test)\/[\w/.-]+\.ts)$/.exec(first)?.[1];
  if (path === undefined) throw new Error(`'${first}' is not the path of a file`);
  writeFileSync(join(root, path), rest.join('\n'), { flag: 'wx' });
}

function change(root: string, text: string): void {
  const path = /^\+\+\+ b\/(src\/[\w/.-]+\.ts)$/m.exec(text)?.[1];
  if (path === undefined) throw new Error(`it doesn't say which file it changes:\n${text}`);
  const file = join(root, path);
  for (const hunk of text.split(/^@@\n/m).slice(1)) {
    const lines = hunk.replace(/\n$/, '').split('\n');
    const of = (sign: '-' | '+'): string =>
      lines
        .flatMap((line) => (line.startsWith(sign) || line.startsWith(' ') ? [line.slice(1)] : []))
        .join('\n');
    const before = readFileSync(file, 'utf8');
    const parts = before.split(of('-'));
    if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} places like\n${of('-')}`);
    writeFileSync(file, parts.join(of('+')));
  }
}

async function run(root: string, line: string): Promise<string> {
  const [file = '', ...args] = line.split(' ');
  const { stdout, stderr } = await promisify(execFile)(file, args, {
    cwd: root,
    timeout: COMMAND_ENDS_WITHIN_MS,
  });
  return `${stdout}${stderr}`;
}
