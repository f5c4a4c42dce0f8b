// One member of a cluster of processes: a process with all that it starts, in a process
// group of its own, so that they are killed and frozen together, as a container's are.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Act, ContainerState } from '../rig/deployment.ts';
import { CONTAINER_ACTS } from '../rig/faults/acts.ts';
import { groupMembers, RUN_VARIABLE, signal } from './processes.ts';

/** As long as Compose gives a node to stop. */
const STOP_MS = 10_000;
const SHOWS_WITHIN_MS = 15_000;

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Member {
  readonly name: string;
  readonly state: ContainerState;
  /** Counts its starts. */
  readonly incarnation: number;
  /** Of its first process; undefined before the first start. */
  readonly pid: number | undefined;
  /** What its processes printed, a line each, after the time. */
  readonly printed: readonly string[];
  /** Of its processes that have not ended. */
  pids(): readonly number[];
  /** Resolves once the effect shows. Throws `conflict` where it can't be done now. */
  act(act: Act): Promise<void>;
  /** As if it had never been started. */
  forget(): void;
}

export interface MemberOptions {
  readonly name: string;
  readonly runId: string;
  readonly clock: Clock;
  /** What runs, asked for at each start. */
  readonly program: () => Program;
  readonly onState: (state: ContainerState) => void;
}

export function createMember(options: MemberOptions): Member {
  const { name, clock, onState } = options;
  const printed: string[] = [];
  const print = (line: string): void => {
    printed.push(`${new Date(clock.nowMs()).toISOString()} ${line}\n`);
  };
  let state: ContainerState = 'created';
  let incarnation = 0;
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();

  const become = (next: ContainerState): void => {
    state = next;
    onState(next);
  };
  const pids = (): readonly number[] =>
    child?.pid === undefined ? [] : groupMembers(child.pid).map(({ pid }) => pid);
  const signalAll = (wanted: NodeJS.Signals): void => {
    if (child?.pid !== undefined) signal(-child.pid, wanted);
  };
  const awaitGroup = (what: string, shows: (states: readonly string[]) => boolean): Promise<true> => {
    let seen: readonly string[] = [];
    return waitFor({
      clock,
      what: `every process of ${name} to be ${what}`,
      timeoutMs: SHOWS_WITHIN_MS,
      intervalMs: 5,
      probe: async () => {
        seen = groupMembers(child?.pid ?? 0).map((one) => one.state);
        return shows(seen) ? true : undefined;
      },
      describe: () => `process states '${seen.join(' ')}'`,
    });
  };

  const start = async (): Promise<void> => {
    const started = spawned(options);
    await new Promise<void>((resolve, reject) => {
      started.once('spawn', resolve);
      started.once('error', (cause) =>
        reject(new RigError('machine', `cannot start ${name}: ${cause.message}`, { cause })),
      );
    });
    child = started;
    incarnation += 1;
    const outputs = [started.stdout, started.stderr].map((output) => printLines(output, print));
    ended = new Promise((resolve) => {
      started.once('exit', () => {
        // Who is left of it goes with it, as in a container.
        signalAll('SIGKILL');
        become('exited');
        void Promise.all(outputs).then(() => resolve());
      });
    });
    become('running');
  };
  const kill = async (): Promise<void> => {
    signalAll('SIGKILL');
    await ended;
    await awaitGroup('gone', (states) => states.length === 0);
  };
  const stop = async (): Promise<void> => {
    // Docker thaws what it stops.
    signalAll('SIGCONT');
    if (child?.pid !== undefined) signal(child.pid, 'SIGTERM');
    const patience = clock.after(STOP_MS, () => signalAll('SIGKILL'));
    await ended;
    patience();
    await awaitGroup('gone', (states) => states.length === 0);
  };
  const freeze = async (): Promise<void> => {
    signalAll('SIGSTOP');
    // One that was being started meanwhile is hit by the next. Who waits in the kernel (D), for a stopped child to
    // begin its program above all (vfork), stops as soon as it is let out, and runs no more till then.
    await awaitGroup('stopped', (states) => {
      const isFrozen = states.every((one) => one === 'T' || one === 'D');
      if (!isFrozen) signalAll('SIGSTOP');
      return isFrozen;
    });
    if (state === 'running') become('paused');
  };
  const thaw = (): void => {
    become('running');
    signalAll('SIGCONT');
  };

  return {
    name,
    printed,
    get state() {
      return state;
    },
    get incarnation() {
      return incarnation;
    },
    get pid() {
      return child?.pid;
    },
    pids,
    act: async (act) => {
      if (CONTAINER_ACTS[act].refusedIn.includes(state)) {
        throw new RigError('conflict', `cannot ${act} ${name}: it is ${state}`);
      }
      if (act === 'start') await start();
      else if (act === 'kill') await kill();
      else if (act === 'stop') await stop();
      else if (act === 'pause') await freeze();
      else thaw();
    },
    forget: () => become('created'),
  };
}

/** In a session of its own: what is typed at the rig's terminal is not for it. */
function spawned({ program, runId }: MemberOptions): ChildProcess {
  const { file, args, environment } = program();
  return spawn(file, [...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, [RUN_VARIABLE]: runId },
  });
}

/** Resolves when there is no more to print. */
function printLines(output: Readable | null, print: (line: string) => void): Promise<void> {
  if (output === null) return Promise.resolve();
  const lines = createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', print);
  return new Promise((resolve) => lines.once('close', resolve));
}
