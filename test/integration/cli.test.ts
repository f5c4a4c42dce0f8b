// What the command line answers to bad input and to a machine that lacks
// something: exit code 3, one line on stderr, and nothing left behind.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
const NO_ENGINE = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-cli-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the real command line where `runs/` would be made in a folder of its own. */
async function rig(args: readonly string[], env: Readonly<Record<string, string>> = NO_ENGINE) {
  const options = { cwd: folder, env, reject: false, stdin: 'ignore', timeout: 60_000 } as const;
  const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, ...args], options);
  return { exitCode, stdout, stderr, left: readdirSync(folder).sort() };
}

describe('bad input', () => {
  it.each<[string, string]>([
    ['frobnicate', "unknown command 'frobnicate'; see rig --help"],
    ['rnu', '(Did you mean run?)'],
    // Names that every object of JavaScript has.
    ['toString', "unknown command 'toString'"],
    ['constructor', "unknown command 'constructor'"],
    ['run', "missing required argument 'scenario'; see rig run --help"],
    ['run export-created --bogus', "unknown option '--bogus'"],
    ['run nope', "there is no scenario 'nope'; choose from: "],
    ['run export-created --duration 30s', "export-created can't be given a duration; leave --duration out"],
    ['run export-created --seed x', "'x' is no seed"],
    ['run export-created --seed -1', "'-1' is no seed"],
    ['run export-created --seed 4294967296', "'4294967296' is no seed"],
    ['up --name ../x', "'../x' is no name for a cluster"],
    ['up --topology missing.yaml', 'cannot read the topology missing.yaml: ENOENT'],
    ['up --topology .', 'cannot read the topology .: EISDIR'],
    ['bench up --rounds 0', "'0' is no number of rounds"],
    ['render nope', "there is no compose file 'nope'"],
    ['check', 'rig check <folder> wants the folder of a run; name one that rig run has made.'],
    ['check nowhere', 'cannot read nowhere/run.json: ENOENT'],
    ['diff one', "missing required argument 'other'"],
    ['run export-created --seed 1 --seeds 1..2', '--seed and --seeds each say what is drawn'],
    ['volume creat first', "unknown command 'creat' (Did you mean create?); see rig volume --help"],
    ['volume create first --size big', "'big' is no size; give GiB, such as 1 or 0.5"],
    ['kill', "missing required argument 'target'; see rig kill --help"],
    ['kill one --name a --run b', '--name and --run each name a cluster'],
    ['kill one --run nowhere/run', 'nowhere/run has neither cluster.json nor run.json'],
    ['fault lags leader', "there is no fault 'lags'; choose from: kill, "],
    ['fault loss leader percent=200', "loss: 'percent' must be at most 100"],
    ['fault loss leader --as -x', "'-x' is no name for a fault"],
    ['fault loss leader --for ever', "'ever' is no duration"],
    ['partition leader --one-way', '--one-way needs to know from whom'],
    ['partition leader etcd --shape halves', '--shape is for who is cut off from everybody'],
    ['exec node1 ls -l', "unknown option '-l'"],
    [
      'completion csh',
      "'csh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish; see rig completion",
    ],
    ['report nowhere', 'cannot read nowhere/run.json'],
    ['diff nowhere nowhere', 'cannot read nowhere/run.json'],
    ['fleet', "required option '--nodes <number>' not specified"],
    ['fleet --nodes 0', "'0' is no number of nodes; give a whole number from 1 to 25000"],
    ['fleet --nodes many', "'many' is no number of nodes"],
    ['fleet --nodes 1000000', "'1000000' is no number of nodes; give at most 25000"],
    ['fleet --nodes 5 --profile nope', 'cannot read the profile nope: ENOENT'],
    ['fleet --nodes 5 --etcd ftp://x', "'ftp://x' is no endpoint of etcd"],
    ['fleet --nodes 5 --prefix ../x', "'../x' can't begin the names of nodes"],
    ['sim run', 'there is no simulated cluster in runs/sim; make one with'],
    ['sim power up --all', "'up' is nothing that can be done with power"],
    ['sim power off', 'no node was given; name nodes, or give --all.'],
    ['sim setup --nodes 1 --shared-devices 1', "a shared device can't be seen by 2 of 1 nodes"],
    ['mirror --from etcd', "'etcd' is no endpoint of etcd"],
  ])('is told in one line, before Docker is asked: rig %s', async (line, words) => {
    const { exitCode, stderr, left } = await rig(line.split(' '));
    expect(stderr.split('\n')).toEqual([expect.stringMatching(/^rig: /)]);
    expect(stderr).toContain(words);
    expect({ exitCode, left }).toEqual({ exitCode: 3, left: [] });
  });

  it.each<[string, string, string]>([
    ['that is no YAML', 'nodes: [\n - x: {', 'cannot read the topology mine.yaml'],
    ['that is empty', '', 'mine.yaml: the topology must be an object, not null'],
    ['without nodes', 'nodes: []', "mine.yaml: 'nodes' must have at least 1 item"],
    ['with a field of no name', 'nodes: [{name: a, disks: 3}]', "'nodes.0.disks' is not a known field"],
    ['with a name that is a path', 'nodes: [{name: ../a}]', "'nodes.0.name' must be 1-63 of"],
    [
      'with a lease of half a second',
      'nodes: [{name: a}]\nsettings: {leaseTtlSeconds: 0.5}',
      'leaseTtlSeconds',
    ],
  ])('is told in one line: a topology %s', async (_what, yaml, words) => {
    writeFileSync(join(folder, 'mine.yaml'), yaml);
    const { exitCode, stderr, left } = await rig(['up', '--topology', 'mine.yaml']);
    expect(stderr.split('\n')).toEqual([expect.stringMatching(/^rig: /)]);
    expect(stderr).toContain(words);
    expect({ exitCode, left }).toEqual({ exitCode: 3, left: ['mine.yaml'] });
  });
});

describe('rig check without a folder', () => {
  it('does not fall over when nobody reads on, as with `rig scenarios | head`', async () => {
    const child = execa(process.execPath, [MAIN, 'scenarios'], { reject: false });
    child.stdout.destroy();
    const { exitCode, stderr } = await child;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('names the newest run', async () => {
    for (const name of ['20260101-000000-old-1', '20260102-000000-new-1', '20260103-000000-empty-1', 'z']) {
      mkdirSync(join(folder, 'runs', name), { recursive: true });
      if (!name.includes('empty')) writeFileSync(join(folder, 'runs', name, 'run.json'), '{}');
    }
    const { exitCode, stderr } = await rig(['check']);
    expect(stderr).toMatch(/; the newest is runs\/20260102-000000-new-1\.$/);
    expect(exitCode).toBe(3);
  });
});

describe('a machine that lacks something', () => {
  it.each([
    'run all',
    'up',
    'down',
    'images',
    'bench up',
    'ps',
    'exec node1 ls',
    'kill leader',
    'partition leader',
    'fault loss leader',
    'heal',
    'etcd get',
    'volume list',
    'node drain node1',
  ])('is told in one line, once: no engine for rig %s', async (line) => {
    const { exitCode, stderr, left } = await rig(line.split(' '));
    expect(stderr).toMatch(/^rig: no Docker Engine answers at unix:\/\/\/nonexistent.*; start Docker.*$/);
    expect(stderr.split('\n')).toHaveLength(1);
    expect({ exitCode, left }).toEqual({ exitCode: 3, left: [] });
  });

  it.each(['run all', 'up'])(
    'is told before anything starts, and not once a scenario: no Compose plugin for rig %s',
    async (line) => {
      await using engine = await startEngineThatNotes(join(folder, 'docker.sock'));
      mkdirSync(join(folder, 'bin'));
      writeFileSync(
        join(folder, 'bin/docker'),
        '#!/bin/sh\necho "docker: \'compose\' is not a docker command." >&2\nexit 1\n',
      );
      chmodSync(join(folder, 'bin/docker'), 0o755);
      const env = {
        DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
        PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      };
      const { exitCode, stderr, left } = await rig(line.split(' '), env);
      expect(stderr).toMatch(/^rig: Docker has no Compose plugin; run scripts\/setup.*$/);
      expect({ exitCode, left }).toEqual({ exitCode: 3, left: ['bin', 'docker.sock'] });
      expect(engine.calls.filter((call) => !call.startsWith('GET') && !call.startsWith('HEAD'))).toEqual([]);
    },
  );

  it('is told before anything starts: no such image for rig run --system', async () => {
    const asked = '/images/elsewhere/cobalt:9/json';
    const socket = join(folder, 'docker.sock');
    await using engine = await startEngineThatNotes(socket, { [asked]: 404 });
    const run = ['run', 'all', '--system', 'elsewhere/cobalt:9'];
    const { exitCode, stderr, left } = await rig(run, { DOCKER_HOST: `unix://${socket}` });
    expect(stderr).toMatch(
      /^rig: the Docker Engine at unix:.*docker.sock has no image 'elsewhere\/cobalt:9'; .*$/,
    );
    expect({ exitCode, left }).toEqual({ exitCode: 3, left: ['docker.sock'] });
    expect(engine.calls.at(-1)).toBe(`GET ${asked}`);
  });

  it('is told in one line: --out names a file', async () => {
    writeFileSync(join(folder, 'taken'), '');
    const { exitCode, stderr, left } = await rig(['run', 'export-created', '--out', 'taken'], {});
    const told = stderr.split('\n').filter((each) => each.startsWith('rig: '));
    expect(told).toEqual([expect.stringMatching(/cannot write .*taken.*ENOTDIR.*; .*--out/)]);
    expect({ exitCode, left }).toEqual({ exitCode: 3, left: ['taken'] });
  });
});

describe('a cluster that is not there', () => {
  const label = (runId: string) => ({
    Id: runId,
    State: 'running',
    Ports: [],
    NetworkSettings: { Networks: {} },
    Labels: { 'dev.cobalt-rig.run': runId, 'com.docker.compose.service': 'node1' },
  });

  it.each<[string, string]>([
    [
      'kill leader',
      "there is no cluster 'default'; clusters: run 1a2b, mine; choose one by --name or --run.",
    ],
    [
      'volume list --name min',
      "there is no cluster 'min'; clusters: run 1a2b, mine; choose one by --name or --run.",
    ],
    [
      'heal --run 3c4d',
      "there is no cluster of run '3c4d'; clusters: run 1a2b, mine; choose one by --name or --run.",
    ],
  ])('is told with those that are: rig %s', async (line, words) => {
    const socket = join(folder, 'docker.sock');
    await using _engine = await startEngineThatNotes(socket, {}, [label('up-mine'), label('1a2b')]);
    const { exitCode, stderr } = await rig(line.split(' '), { DOCKER_HOST: `unix://${socket}` });
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: `rig: ${words}` });
  });

  it('is no member that is not there, nor a folder that is gone', async () => {
    const socket = join(folder, 'docker.sock');
    await using _engine = await startEngineThatNotes(socket, {}, [label('up-default')]);
    const env = { DOCKER_HOST: `unix://${socket}` };
    expect((await rig(['exec', 'node9', 'ls'], env)).stderr).toBe(
      "rig: cluster 'default' has no member 'node9'; choose one of node1.",
    );
    expect((await rig(['kill', 'node1'], env)).stderr).toMatch(
      /^rig: nobody knows what 'default' was started from: .*; bring its folder back, or remove it with rig down --name default\.$/,
    );
  });
});

describe('rig completion', () => {
  it('completes commands, those of commands, options and names, as bash does it', async () => {
    const { stdout: script } = await rig(['completion', 'bash']);
    const completed = async (line: string): Promise<readonly string[]> => {
      const words = ['rig', ...line.split(' ')];
      const ask = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _rig; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await execa('bash', ['-c', ask])).stdout.split('\n');
    };
    expect(await completed('vol')).toEqual(['volume']);
    expect(await completed('volume cl')).toEqual(['clone']);
    expect(await completed('volume create first --no')).toEqual(['--no-wait']);
    expect(await completed('fault disk-')).toEqual([
      'disk-full',
      'disk-read-only',
      'disk-errors',
      'disk-slow',
    ]);
    expect(await completed('run engine-')).toEqual(['engine-leader-down']);
  });

  it.each(['zsh', 'fish'])('has a script for %s that names every command', async (shell) => {
    const { exitCode, stdout } = await rig(['completion', shell]);
    expect(exitCode).toBe(0);
    for (const name of ['up', 'partition', 'completion', 'undrain']) expect(stdout).toContain(name);
  });
});

/**
 * An engine that answers a ping, and with its containers if it has any, refuses everything else (default: with 500), and
 * keeps what it was asked.
 */
async function startEngineThatNotes(
  path: string,
  statuses: Readonly<Record<string, number>> = {},
  containers?: readonly unknown[],
): Promise<AsyncDisposable & { readonly calls: readonly string[] }> {
  const calls: string[] = [];
  const server: Server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    if (request.url?.endsWith('/_ping')) return void response.end('OK');
    if (containers !== undefined && request.url?.includes('/containers/json')) {
      return void response.end(JSON.stringify(containers));
    }
    response.statusCode = statuses[request.url ?? ''] ?? 500;
    response.end('{"message":"not here"}');
  });
  await new Promise<void>((done) => server.listen(path, done));
  return {
    calls,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => void server.close(() => done())),
  };
}
