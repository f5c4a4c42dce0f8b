// A process of ours that ends with us, however we end.

import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';

export interface Child {
  readonly pid: number;
  /** Resolves with the reason when it has ended, asked to or not. Never rejects. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL if that isn't heard. Resolves when it has ended. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly clock: Clock;
  readonly command: string;
  readonly args: readonly string[];
  /** Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes what it prints, after what is in it already. */
  readonly logFile: string;
}

const STOPS_WITHIN_MS = 8000;

export async function startChild(options: ChildOptions): Promise<Child> {
  const { clock, command, args, environment, logFile } = options;
  await using log = await open(logFile, 'a');
  // What SIGKILL does to us nothing of ours can pass on; on Linux the kernel does (prctl(2), PR_SET_PDEATHSIG).
  const mortal = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  const [first = command, ...rest] = [...mortal, command, ...args];
  const child = spawn(first, rest, {
    stdio: ['ignore', log.fd, log.fd],
    // Ctrl-C is for us, who tell it when the agents have said good-bye.
    detached: true,
    ...(environment === undefined ? {} : { env: environment }),
  });
  const ended = endOf(child);
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  void ended.then(() => process.off('exit', killAtExit));
  return {
    pid: child.pid ?? 0,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const cancel = clock.after(STOPS_WITHIN_MS, () => child.kill('SIGKILL'));
      await ended;
      cancel();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

export interface Readiness {
  /** In the complaint: what could not be started. */
  readonly what: string;
  readonly next: string;
  /** Resolves when it is ready; is given up with the signal. */
  readonly ready: (signal: AbortSignal) => Promise<unknown>;
}

/** Resolves when it is ready. If it ends before, or doesn't become ready, it is stopped: `machine`, with what to do next. */
export async function untilReady(child: Child, { what, next, ready }: Readiness): Promise<void> {
  const over = new AbortController();
  const failed = child.ended.then((why) => {
    throw new RigError('machine', `${what} could not be started: ${why}`, { next });
  });
  const isReady = ready(over.signal);
  try {
    await Promise.race([failed, isReady]);
  } catch (error) {
    over.abort();
    await Promise.allSettled([isReady, child.stop()]);
    throw error;
  }
}
