// The folder of a simulated cluster: its declaration as JSON, either the old one or the new one
// even after a power cut, and who may change it when.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { isAlive, takeLockFile } from '../base/lock-file.ts';
import { makeFolder } from '../base/make-folder.ts';
import { waitFor } from '../base/retry.ts';
import { fieldErrors } from '../model/parse.ts';
import { readIfPresent, writeDurably } from '../storage/durable-file.ts';
import { type Cluster, clusterSchema, STATE_VERSION } from './cluster.ts';

const CLUSTER_FILE = 'cluster.json';
const EDIT_LOCK = 'cluster.lock';
const RUN_LOCK = 'running.json';
const EDIT_WITHIN_MS = 10_000;

export const clusterFile = (folder: string): string => join(folder, CLUSTER_FILE);

/** Throws `not_found` where there is none, and `machine` for one that can't be read or is another version's. */
export async function readCluster(folder: string): Promise<Cluster> {
  const path = clusterFile(folder);
  const text = await readText(path);
  if (text === null) {
    throw new RigError('not_found', `there is no simulated cluster in ${folder}`, {
      next: 'Make one with `rig sim setup`, or name its folder with --state.',
    });
  }
  const input = parseStateFile(text, path);
  const result = clusterSchema.safeParse(input);
  if (result.success) return result.data;
  const [first] = fieldErrors(result.error);
  throw damaged(path, `${first?.path === '' ? 'it' : `'${first?.path}'`} ${first?.message}`);
}

/** Null where there is none. */
const readText = (path: string): Promise<string | null> =>
  readIfPresent(path).catch((cause: Error) => {
    throw new RigError('machine', `cannot read ${path}: ${cause.message}`, {
      next: 'Name the folder of a simulated cluster, or of one to be, with --state.',
      cause,
    });
  });

/** JSON with our version. Throws `machine`; what is in the file stays. */
export function parseStateFile(text: string, path: string): unknown {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw damaged(path, `it is cut short, or no JSON (${(error as Error).message})`);
  }
  const version =
    typeof input === 'object' && input !== null && 'version' in input ? input.version : undefined;
  if (version === STATE_VERSION) return input;
  throw new RigError(
    'machine',
    `${path} is of version ${JSON.stringify(version ?? null)} of the state folder, this rig writes ${STATE_VERSION}`,
    {
      next: 'Use the rig that made it, or set another cluster up in a folder of its own; nothing was changed.',
    },
  );
}

function damaged(path: string, why: string): RigError {
  return new RigError('machine', `${path} can't be read: ${why}`, {
    next: 'Put it right, or a backup of it in its place; nothing was changed.',
  });
}

/** Throws `conflict` where there is one already. */
export async function createCluster(folder: string, cluster: Cluster): Promise<void> {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new RigError('machine', `cannot make the folder ${folder}: ${(cause as Error).message}`, {
      next: 'Name one that can be written to with --state.',
      cause,
    });
  }
  if ((await readText(clusterFile(folder))) !== null) {
    throw new RigError('conflict', `there is a simulated cluster in ${folder} already`, {
      next: 'Use it, remove its folder, or name another with --state.',
    });
  }
  await write(folder, cluster);
}

/** Reads it, writes what becomes of it, and answers with that; nobody else changes it meanwhile. */
export async function changeCluster(
  folder: string,
  clock: Clock,
  change: (cluster: Cluster) => Cluster,
): Promise<Cluster> {
  await readCluster(folder);
  await using _lock = await waitFor({
    clock,
    what: `whoever else changes ${folder} to be done`,
    timeoutMs: EDIT_WITHIN_MS,
    probe: () => tryLock(join(folder, EDIT_LOCK), { pid: process.pid }),
    describe: () => `${join(folder, EDIT_LOCK)} names a process that runs`,
  });
  const before = await readCluster(folder);
  const after = change(before);
  if (after !== before) await write(folder, after);
  return after;
}

async function write(folder: string, cluster: Cluster): Promise<void> {
  await writeDurably(clusterFile(folder), `${JSON.stringify(clusterSchema.parse(cluster), null, 1)}\n`);
}

/** What runs a cluster, and where it is reached. */
export interface Running {
  readonly pid: number;
  /** Of the fleet's own port; null before it listens. */
  readonly url: string | null;
  readonly etcd: readonly string[];
  readonly api: string | null;
}

export interface RunLock extends AsyncDisposable {
  tell(running: Omit<Running, 'pid'>): Promise<void>;
}

/** For as long as it isn't disposed of nobody else runs the cluster. Throws `conflict` while somebody does. */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = join(folder, RUN_LOCK);
  const { pid } = process;
  const lock = await tryLock(path, { pid, url: null, etcd: [], api: null });
  if (lock === undefined) {
    throw new RigError('conflict', `the simulated cluster in ${folder} runs already`, {
      next: 'Look at it with `rig sim status`, or end the process that `running.json` there names.',
    });
  }
  return {
    tell: (running) => writeDurably(path, `${JSON.stringify({ pid, ...running })}\n`),
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}

/** Undefined when nobody runs it. */
export async function runningIn(folder: string): Promise<Running | undefined> {
  const text = await readIfPresent(join(folder, RUN_LOCK));
  const running = text === null ? undefined : parsedLock(text);
  return running !== undefined && isAlive(running.pid) ? running : undefined;
}

/** Undefined while a process that lives has it. One that was left behind is taken over. */
async function tryLock(
  path: string,
  content: Pick<Running, 'pid'> & Partial<Running>,
): Promise<AsyncDisposable | undefined> {
  const release = { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (takeLockFile(path, `${JSON.stringify(content)}\n`)) return release;
    const holder = parsedLock(await readFile(path, 'utf8').catch(() => ''));
    if (holder === undefined || isAlive(holder.pid)) return undefined;
    await rm(path, { force: true });
  }
  return undefined;
}

function parsedLock(text: string): Running | undefined {
  try {
    return JSON.parse(text) as Running;
  } catch {
    return undefined;
  }
}
