// Nothing survives the rig: not after Ctrl-C, and not after SIGKILL.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { createSeededRandom, createSystemRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { createContainers } from '../../src/rig/docker/containers.ts';
import { projectOf } from '../../src/rig/docker/deploy.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { listLabelled, runLabel } from '../../src/rig/docker/removal.ts';
import {
  HISTORY_FILE,
  REPORT_FILE,
  RUN_FILE,
  type RunFile,
  VERDICT_FILE,
} from '../../src/rig/record-files.ts';
import { playRound } from '../leaks/round.ts';
import { faultsOf } from '../leaks/told.ts';

type Engine = Awaited<ReturnType<typeof connectEngine>>;

const clock = createSystemClock();
const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
/** Goes on for a quarter of a minute after its first write: long enough to be ended in the middle. */
const LONG_SCENARIO = 'etcd-down-at-runtime';
/** What the rig printed. */
const OUTPUT_FILE = 'rig.log';

/** What there is of a run, by kind and name. */
async function remains(docker: Engine, runId: string): Promise<readonly string[]> {
  const { containers, networks, volumes } = await listLabelled(docker, runLabel(runId));
  return [
    ...containers.map(({ Names }) => `container ${Names.join()}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${Name}`),
  ];
}

/** `<device> <inode of its file>` of each attached loop device of this machine. */
async function attachedLoops(): Promise<ReadonlySet<string>> {
  const args = ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-INO'];
  const { stdout } = await execa('losetup', args);
  return new Set(stdout.split('\n').filter(Boolean));
}

/** Those of them that carry the disks of a run's nodes. */
async function loopsOf(docker: Engine, runId: string): Promise<readonly string[]> {
  const containers = createContainers(docker, createSystemClock(), projectOf(runId));
  const nodes = (await containers.services()).filter((service) => service.startsWith('node'));
  return Promise.all(
    nodes.map(async (node) => {
      const script = 'losetup --noheadings --raw --output NAME,BACK-INO "$(findmnt -no SOURCE /srv/cobalt)"';
      return (await containers.exec(node, ['sh', '-c', script])).stdout.trim();
    }),
  );
}

describe('a rig that is ended in the middle of a run', () => {
  let out: string;
  let rig: ChildProcess;
  let exited: Promise<number | null>;
  let docker: Engine;

  beforeEach(async () => {
    docker = await connectEngine(readSettings().engine);
    out = mkdtempSync(join(tmpdir(), 'cobalt-rig-'));
  });

  const startRig = (scenario: string): void => {
    rig = spawn(process.execPath, [MAIN, 'run', scenario, '--out', out], {
      // A process group of its own, as at a terminal.
      detached: true,
      stdio: ['ignore', openSync(join(out, OUTPUT_FILE), 'w'), 'inherit'],
    });
    exited = new Promise((resolve) => rig.once('exit', resolve));
  };

  /** Ctrl-C at a terminal reaches the whole process group. */
  const pressCtrlC = (): void => {
    if (rig.pid === undefined) throw new Error('the rig has not started');
    process.kill(-rig.pid, 'SIGINT');
  };

  const runFolder = (): string => {
    const name = readdirSync(out).find((each) => each !== OUTPUT_FILE);
    if (name === undefined) throw new Error('no run has begun');
    return join(out, name);
  };

  const output = (): string => readFileSync(join(out, OUTPUT_FILE), 'utf8');

  afterEach(() => {
    rig.kill('SIGKILL');
    rmSync(out, { recursive: true, force: true });
  });

  /** Waits for the run's folder, and for its history to have this text; answers with the run's id. */
  const runReached = (text: string): Promise<string> =>
    waitFor({
      clock,
      what: `the run to reach '${text}'`,
      timeoutMs: 60_000,
      probe: async () => {
        const folder = readdirSync(out).find((name) => name !== OUTPUT_FILE);
        if (folder === undefined) return undefined;
        const { runId } = JSON.parse(readFileSync(join(out, folder, RUN_FILE), 'utf8')) as RunFile;
        return readFileSync(join(out, folder, HISTORY_FILE), 'utf8').includes(text) ? runId : undefined;
      },
      describe: () => output().trim().split('\n').slice(-3).join(' | '),
    });

  const gone = async (runId: string, loops: readonly string[], timeoutMs: number): Promise<void> => {
    let seen: readonly string[] = [];
    await waitFor({
      clock,
      what: `nothing of run ${runId} to be left`,
      timeoutMs,
      probe: async () => {
        const attached = await attachedLoops();
        seen = [...(await remains(docker, runId)), ...loops.filter((loop) => attached.has(loop))];
        return seen.length === 0 ? true : undefined;
      },
      describe: () => seen.join(', '),
    });
  };

  it('cleans up by itself after Ctrl-C, exits with 3, and leaves a report without a verdict', async () => {
    startRig(LONG_SCENARIO);
    const runId = await runReached('nfs-write');
    expect(await remains(docker, runId)).not.toEqual([]);
    const loops = await loopsOf(docker, runId);
    const attached = await attachedLoops();
    expect(loops).toHaveLength(3);
    expect(loops.every((loop) => attached.has(loop))).toBe(true);
    pressCtrlC();
    expect(await exited).toBe(3);
    await gone(runId, loops, 1_000);
    const report = readFileSync(join(runFolder(), REPORT_FILE), 'utf8');
    expect(report).toContain('<span class="verdict">interrupted</span>');
    expect(report).toMatch(/Somebody stopped it\. The record ends at \+\d/);
    expect(readdirSync(runFolder())).not.toContain(VERDICT_FILE);
    const check = await execa(process.execPath, [MAIN, 'check', runFolder()], { reject: false });
    expect(check.stdout).toContain('This run did not come to its end');
    expect(check.exitCode).toBe(3);
  }, 90_000);

  it('cleans up by itself when Ctrl-C comes while it cleans up, and keeps the verdict', async () => {
    startRig('export-created');
    const runId = await runReached('final-state');
    await waitFor({
      clock,
      what: 'the rig to remove the cluster',
      timeoutMs: 60_000,
      intervalMs: 5,
      probe: async () => (output().includes('removing the cluster') ? true : undefined),
      describe: output,
    });
    pressCtrlC();
    expect(await exited).toBe(0);
    expect(output()).toContain('1 valid');
    await gone(runId, [], 1_000);
  }, 120_000);
});

it('a cluster that is refused because its name is taken has no reaper', async () => {
  const reapers = async (): Promise<readonly string[]> => {
    const args = ['ps', '--all', '--filter', 'label=dev.cobalt-rig.reaper', '--format', '{{.Names}}'];
    return (await execa('docker', args)).stdout.split('\n').filter(Boolean);
  };
  const folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-taken-'));
  const rig = (command: string) =>
    execa(process.execPath, [MAIN, command, '--name', `taken-${process.pid}`], {
      cwd: folder,
      reject: false,
    });
  try {
    expect(await rig('up')).toMatchObject({ exitCode: 0 });
    const before = await reapers();
    expect(await rig('up')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/there is a cluster/),
    });
    expect((await reapers()).filter((name) => !before.includes(name))).toEqual([]);
  } finally {
    await rig('down');
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

/** `npm run leaks` does the same more often. */
it('rigs that are killed at any moment leave nothing on the machine, and one beside them notices nothing', async () => {
  const seed = createSystemRandom().uint32();
  const round = await playRound({ clock, random: createSeededRandom(seed), victims: 3 });
  expect({ seed, faults: faultsOf(round) }).toEqual({ seed, faults: [] });
}, 300_000);
