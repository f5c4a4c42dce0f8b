// What commands print on a terminal of 40 columns.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

const COLUMNS = 40;
/** No terminal, but as narrow as one. */
const NARROW = `data:text/javascript,process.stdout.columns=process.stderr.columns=${COLUMNS}`;

let cwd = '';
const rig = (...words: readonly string[]) =>
  execa(process.execPath, ['--import', NARROW, join(ROOT_FOLDER, 'src/cli/main.ts'), ...words], {
    ...{ cwd, reject: false, stdin: 'ignore' },
  });

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'narrow-'));
  const run = await rig('run', 'export-created', '--mode', 'simulated', '--seed', '7', '--out', 'one');
  const other = await rig('run', 'export-created', '--mode', 'simulated', '--seed', '8', '--out', 'other');
  expect([run.exitCode, other.exitCode]).toEqual([0, 0]);
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** A line that is too long though it could be broken: neither one word nor what is there to be copied. */
const isBad = (line: string): boolean =>
  line.length > COLUMNS && line.trim().includes(' ') && !/^ +(report|again): /.test(line);

it.each([
  'doctor',
  'scenarios',
  'check one/RUN',
  'report one/RUN',
  'diff one/RUN other/RUN',
  'faults --of one/RUN',
  'replay one/RUN',
  'run export-created --mode simulated --seed 9',
  'run export-created --mode simulated --seeds 1..2',
  'sim setup --nodes 3 --shared-devices 2',
  'sim status --nodes',
  'sim power off sim-00001',
  'sim scale 5',
  'sim profiles',
  'check nothing-of-that-name',
  'run no-scenario-of-that-name --mode simulated',
])('rig %s fits', async (words) => {
  const named = words.split(' ').map((word) => {
    const [, out] = /^(.+)\/RUN$/.exec(word) ?? [];
    return out === undefined ? word : join(out, ...readdirSync(join(cwd, out)).slice(0, 1));
  });
  const { stdout, stderr } = await rig(...named);
  expect(`${stdout}\n${stderr}`.split('\n').filter(isBad)).toEqual([]);
  expect(`${stdout}${stderr}`).not.toBe('');
});
