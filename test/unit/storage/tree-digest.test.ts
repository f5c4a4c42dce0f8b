import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { treeDigest } from '../../../src/storage/tree-digest.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cobalt-'));
});
afterEach(async () => {
  // Node.js can't: it goes by whole paths.
  await promisify(execFile)('rm', ['-r', root]);
});

/** Nested folders beyond the longest path, as a client can make them step by step, with a file at the end. */
async function nest(folder: string, levels: number, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const script = `
    my ($folder, $levels, $text) = @ARGV;
    chdir $folder or die $!;
    for (1 .. $levels) { my $name = 'x' x 200; mkdir $name; chdir $name or die $!; }
    open(my $file, '>', 'f') or die $!;
    print $file $text;
    close $file;
    utime 0, 0, 'f';
  `;
  await promisify(execFile)('perl', ['-e', script, folder, String(levels), text]);
}

it('reaches what is deeper than any path may be long', async () => {
  for (const [name, text] of [
    ['one', 'same'],
    ['two', 'same'],
    ['three', 'else'],
  ] as const) {
    await nest(join(root, name), 60, text);
  }
  const [one, two, three] = await Promise.all(
    ['one', 'two', 'three'].map((name) => treeDigest(join(root, name))),
  );
  expect(two).toBe(one);
  expect(three).not.toBe(one);
});

it('tells where something is, what it is, and when a file was modified', async () => {
  const digests: string[] = [];
  const take = async (): Promise<void> => void digests.push(await treeDigest(root));
  const folder = join(root, 'folder');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'text');
  await utimes(join(folder, 'file'), 1, 1);
  await take();
  await utimes(join(folder, 'file'), 1, 2);
  await take();
  await rm(join(folder, 'file'));
  await take();
  await writeFile(join(root, 'file'), 'text');
  await utimes(join(root, 'file'), 1, 1);
  await take();
  await rm(join(root, 'file'));
  await symlink('text', join(root, 'file'));
  await take();
  expect(new Set(digests).size).toBe(digests.length);
});
