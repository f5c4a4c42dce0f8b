// That the files of the pipelines are looked at, and by more than a parser of YAML.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipelines-'));
  for (const file of ['package.json', 'scripts', '.drone.yml', '.github'])
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true }));

async function check(): Promise<string> {
  const run = promisify(execFile)(process.execPath, [join(ROOT, 'lint/pipelines.ts')], { cwd: folder });
  return run.then(
    ({ stdout }) => stdout,
    ({ stderr }: { stderr: string }) => stderr,
  );
}

it('accepts those of the project', async () => {
  expect(await check()).toBe('4 pipeline files checked\n');
});

it('refuses an expression that GitHub would not know, and a command that there is not', async () => {
  const step = (run: string) =>
    `on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ${run}\n`;
  mkdirSync(join(folder, '.github/workflows'), { recursive: true });
  writeFileSync(
    join(folder, '.github/workflows/wrong.yml'),
    step(`echo $${'{{ githb.ref }}'} && npm run nosuch`),
  );
  const said = await check();
  expect(said).toContain('undefined variable "githb"');
  expect(said).toContain("there is no npm script 'nosuch'");
});

it('refuses a key that Drone would not know, and a volume that nobody declares', async () => {
  const step = {
    name: 'a',
    image: 'b',
    commands: ['./scripts/nosuch'],
    volumes: [{ name: 'x', path: '/x' }],
  };
  const pipeline = { kind: 'pipeline', type: 'docker', name: 'wrong', steps: [step] };
  writeFileSync(
    join(folder, '.drone.yml'),
    `${JSON.stringify(pipeline)}\n---\n${JSON.stringify({ ...pipeline, stepz: [] })}\n`,
  );
  const said = await check();
  expect(said).toContain("a mounts 'x', which is no volume");
  expect(said).toContain('there is no scripts/nosuch');
  expect(said).toContain('stepz');
});
