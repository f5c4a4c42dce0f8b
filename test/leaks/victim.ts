// A rig at some work, which is killed at a moment that is drawn.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { below, type Random } from '../../src/base/random.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { RUN_FILE, type RunFile } from '../../src/rig/record-files.ts';

/** What it is at when it is killed, and how. */
export interface Fate {
  readonly command: readonly string[];
  readonly isFromCopy: boolean;
  readonly killedAfterMs: number;
  /** As a CI runner ends a job, instead of by its number alone. */
  readonly withItsGroup: boolean;
}

export interface Victim {
  readonly fate: Fate;
  /** Resolves once it has ended: true if nobody had to kill it. */
  readonly ended: Promise<boolean>;
  /** Of its own. */
  readonly temporaryFolder: string;
  kill(): void;
  /** The ids of the runs that it had begun. */
  runIds(): readonly string[];
  /** Takes away the cluster that is there to stay, if it had come so far. */
  removeKept(): Promise<void>;
  /** What it said last. */
  lastLine(): string;
}

interface Work {
  readonly command: (name: string) => readonly string[];
  readonly lastsMs: number;
  readonly isFromCopy?: boolean;
  /** How often it is drawn against the others. */
  readonly weight: number;
}

const run =
  (...words: readonly string[]) =>
  () => ['run', ...words, '--seed', '1'];

const WORKS: readonly Work[] = [
  { command: run('engine-leader-down'), lastsMs: 22_000, weight: 2 },
  { command: run('agent-down-volume-present'), lastsMs: 18_000, weight: 1 },
  { command: run('faults-network'), lastsMs: 60_000, weight: 2 },
  { command: run('faults-process'), lastsMs: 40_000, weight: 1 },
  { command: run('faults-disk'), lastsMs: 30_000, weight: 1 },
  { command: run('chaos', '--duration', '15s'), lastsMs: 45_000, weight: 2 },
  { command: run('export-created', '--mode', 'process'), lastsMs: 9_000, weight: 1 },
  { command: (name) => ['up', '--name', name], lastsMs: 5_000, weight: 2 },
  { command: () => ['images', 'links'], isFromCopy: true, lastsMs: 9_000, weight: 1 },
];

/** The moment is drawn evenly over what the work takes. */
export function drawFate(random: Random, name: string): Fate {
  const total = WORKS.reduce((sum, { weight }) => sum + weight, 0);
  let drawn = below(random, total);
  const work = WORKS.find(({ weight }) => {
    drawn -= weight;
    return drawn < 0;
  });
  if (work === undefined) throw new Error('the weights have no sum');
  return {
    command: work.command(name),
    isFromCopy: work.isFromCopy === true,
    killedAfterMs: below(random, work.lastsMs),
    withItsGroup: below(random, 2) === 1,
  };
}

/** All that it writes is below `folder`, but for what it makes on the machine. */
export function startVictim(
  fate: Fate,
  { folder, mark }: { readonly folder: string; readonly mark: string },
): Victim {
  const root = fate.isFromCopy ? copyWithLongBuild(folder) : ROOT_FOLDER;
  const out = join(folder, 'runs');
  const output = join(folder, 'output');
  const temporary = join(folder, 'tmp');
  for (const made of [out, temporary]) mkdirSync(made);
  const log = openSync(output, 'w');
  const rig: ChildProcess = spawn(
    process.execPath,
    [join(root, 'src/cli/main.ts'), ...fate.command, ...(fate.command[0] === 'run' ? ['--out', out] : [])],
    {
      cwd: folder,
      env: { ...process.env, TMPDIR: temporary, LEAK_MARK: mark },
      // A process group of its own, as at a terminal.
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  const { pid } = rig;
  if (pid === undefined) throw new Error(`no process could be started: ${fate.command.join(' ')}`);
  return {
    fate,
    ended: new Promise((resolve) => rig.once('exit', (code) => resolve(code !== null))),
    temporaryFolder: temporary,
    kill: () => {
      if (rig.exitCode !== null || rig.signalCode !== null) return;
      process.kill(fate.withItsGroup ? -pid : pid, 'SIGKILL');
    },
    runIds: () => readdirSync(out).flatMap((name) => runIdIn(join(out, name))),
    removeKept: async () => {
      const [verb, , name = ''] = fate.command;
      if (verb !== 'up' || !existsSync(join(folder, 'runs', `up-${name}`, 'cluster.json'))) return;
      await execa(process.execPath, [join(root, 'src/cli/main.ts'), 'down', '--name', name], { cwd: folder });
    },
    lastLine: () => readFileSync(output, 'utf8').trim().split('\n').at(-1) ?? '',
  };
}

function runIdIn(folder: string): readonly string[] {
  try {
    return [(JSON.parse(readFileSync(join(folder, RUN_FILE), 'utf8')) as RunFile).runId];
  } catch {
    return []; // It died before it had written that: nothing was made yet.
  }
}

/** What is to be built is new, and takes longer than its rig has. */
function copyWithLongBuild(folder: string): string {
  const root = mkdtempSync(join(folder, 'copy-'));
  for (const path of ['images', 'package.json', 'package-lock.json', 'src'])
    cpSync(join(ROOT_FOLDER, path), join(root, path), { recursive: true });
  symlinkSync(join(ROOT_FOLDER, 'node_modules'), join(root, 'node_modules'));
  appendFileSync(join(root, 'images/links/Dockerfile'), `RUN sleep 60 # ${root}\n`);
  return root;
}
