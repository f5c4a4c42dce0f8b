// The processes of this machine, as proc(5) tells of them: which belong to a group, and
// which to a run, whoever started them and whatever became of their parents.

import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { statOf } from '../base/process-start.ts';
import { waitFor } from '../base/retry.ts';

/** In the environment of every process of a run, and of all that these start. */
export const RUN_VARIABLE = 'COBALT_RIG_RUN';

export interface ProcessEntry {
  readonly pid: number;
  /** One letter: T is stopped, Z is a dead one that nobody has asked after. */
  readonly state: string;
  readonly group: number;
}

const GONE_WITHIN_MS = 10_000;

const pids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);

/** Empty for a process that has ended, or is somebody else's. */
function read(pid: number, file: 'statm' | 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Undefined for one that has ended. */
export function processOf(pid: number): ProcessEntry | undefined {
  const [state, , group] = statOf(pid) ?? [];
  return state === undefined || group === undefined ? undefined : { pid, state, group: Number(group) };
}

/** Of its memory, what it has in use now; 0 for one that has ended. */
export const residentPages = (pid: number): number => Number(read(pid, 'statm').split(' ')[1] ?? 0);

/** Those of a process group that have not ended. */
export const groupMembers = (group: number): readonly ProcessEntry[] =>
  pids().flatMap((pid) => {
    const entry = processOf(pid);
    return entry?.group === group && entry.state !== 'Z' ? [entry] : [];
  });

/** Its arguments with spaces between them. */
export const commandLine = (pid: number): string =>
  read(pid, 'cmdline').replace(/\0$/, '').replaceAll('\0', ' ');

export const processesOfRun = (runId: string): readonly number[] => {
  const wanted = `\0${RUN_VARIABLE}=${runId}\0`;
  return pids().filter((pid) => `\0${read(pid, 'environ')}`.includes(wanted));
};

/** False when there was none any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Kills every process of the run, those too that were being started while it looked. Throws `timeout` when one stays. */
export async function endProcessesOfRun(clock: Clock, runId: string): Promise<void> {
  let left: readonly number[] = [];
  await waitFor({
    clock,
    what: `the processes of run ${runId} to end`,
    timeoutMs: GONE_WITHIN_MS,
    intervalMs: 10,
    probe: async () => {
      left = processesOfRun(runId);
      for (const pid of left) signal(pid, 'SIGKILL');
      return left.length === 0 ? true : undefined;
    },
    describe: () => `there are ${left.join(', ')}`,
  });
}
