// What the command line says to somebody who gives it what it can't use: one sentence and exit code 3, no stack.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

let cwd = '';
const rig = (line: string, env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...line.split(' ')], {
    ...{ cwd, env, reject: false, stdin: 'ignore' },
  });

/** Copies of one run, each with one file replaced by something else; null takes it away. */
const DAMAGED: Readonly<Record<string, readonly [string, string | null]>> = {
  'cut-short': ['run.json', '{"scenario": "chaos", "se'],
  'a-list': ['run.json', '[]'],
  'no-history': ['history.jsonl', null],
  'no-json': ['history.jsonl', 'x\n'],
};

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'bad-input-'));
  writeFileSync(join(cwd, 'file'), '\u0000\uffff');
  const { exitCode } = await rig('run export-created --mode simulated --seed 7 --out whole');
  expect(exitCode).toBe(0);
  const [run = ''] = readdirSync(join(cwd, 'whole'));
  for (const [name, [file, content]] of Object.entries(DAMAGED)) {
    cpSync(join(cwd, 'whole', run), join(cwd, name), { recursive: true });
    rmSync(join(cwd, name, file));
    if (content !== null) writeFileSync(join(cwd, name, file), content);
  }
  cpSync(join(cwd, 'whole', run), join(cwd, 'folder-for-a-file'), { recursive: true });
  rmSync(join(cwd, 'folder-for-a-file/history.jsonl'));
  mkdirSync(join(cwd, 'folder-for-a-file/history.jsonl'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** For a shell. */
const MAIN = `"${process.execPath}" "${join(ROOT_FOLDER, 'src/cli/main.ts')}"`;
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere' };

it.each<readonly [string, RegExp, Readonly<Record<string, string>>?]>([
  ['check cut-short', /^rig: the value of cut-short\/run.json is not JSON; take the folder/],
  ['report a-list', /^rig: the value of a-list\/run.json is malformed: must be an object/],
  ['faults --of no-history', /^rig: the record in no-history is not whole: history.jsonl is missing/],
  ['replay no-history', /^rig: the record in no-history is not whole: ENOENT/],
  ['logs --run cut-short', /^rig: the value of cut-short\/run.json is not JSON/],
  ['shrink no-json', /^rig: no-json\/history.jsonl, line 1 is not JSON; take the folder/],
  ['check folder-for-a-file', /^rig: cannot read folder-for-a-file\/history.jsonl: EISDIR/],
  ['console file', /^rig: file has neither cluster.json nor run.json/],
  ['sim status --state file', /^rig: cannot read file\/cluster.json: ENOTDIR/],
  ['sim setup --nodes 1 --state file', /^rig: cannot read file\/cluster.json: ENOTDIR/],
  // Node.js's own way of making folders goes on for ever there.
  ['sim setup --nodes 1 --state /proc/none', /^rig: cannot make the folder \/proc\/none: ENOENT/],
  ['mirror --from http://[::1', /^rig: 'http:\/\/\[::1' is no endpoint of etcd/],
  ['mirror --from http://127.0.0.1:1', /^rig: GET .* ECONNREFUSED .*; give the address of an API/],
  ['fleet --nodes 1', /^rig: \/nowhere is no program; install/, { COBALT_RIG_ETCD: '/nowhere' }],
  [
    'fleet --nodes 1 --seconds 1 --etcd http://127.0.0.1:1',
    /^rig: etcd did not answer within 1 s; start it, or name another/,
  ],
  ['ps', /^rig: no Docker Engine answers at unix:\/\/\/nowhere/, NO_ENGINE],
  ['ps', /^rig: the Docker host `unix:\/\/` is not an address/, { DOCKER_HOST: 'unix://' }],
  [
    'ps',
    /^rig: cannot read Docker's certificates: ENOENT/,
    { DOCKER_HOST: 'tcp://127.0.0.1:1', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' },
  ],
  // A third parameter that a row hasn't is jest's own to it.
])('rig %s', async (...[line, told, env]) => {
  const { exitCode, stderr } = await rig(line, env);
  expect(stderr).toMatch(told);
  expect([exitCode, stderr.split('\n').length]).toEqual([3, 1]);
});

it('leaves nothing of a fleet that could not run', () => {
  expect(readdirSync(join(cwd, 'runs'))).toEqual([]);
});

it('is no success where its output is lost, and says so', async () => {
  const { exitCode, stderr } = await execa('sh', ['-c', `${MAIN} scenarios > /dev/full`], { reject: false });
  expect([exitCode, stderr]).toEqual([
    3,
    expect.stringMatching(/^rig: what was to be printed .* ENOSPC[^\n]*$/),
  ]);
});

it('is a success where nobody reads it any more', async () => {
  // Gone before a program of this size can have printed anything.
  const { stderr } = await execa('sh', ['-c', `{ ${MAIN} scenarios --json; echo $? >&2; } | true`]);
  expect(stderr).toBe('0');
});
