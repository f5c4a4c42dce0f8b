// The daemon as it is started for real: `main.ts` and its processes, on memory
// disks. Only for tests of what needs processes.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createSystemClock } from '../../src/base/clock.ts';
import type { LogLine } from '../../src/base/log.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { Role } from '../../src/model/volume.ts';

const MAIN = join(import.meta.dirname, '../../src/daemon/main.ts');
const clock = createSystemClock();

export interface TestDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** What it wrote to stderr. */
  readonly complaint: () => string;
  /** Its exit code, or signal. */
  readonly exited: Promise<number | string | null>;
  signal(signal: NodeJS.Signals): void;
  /** Waits for a line that satisfies. */
  logged(event: string, holds?: (line: LogLine) => boolean): Promise<LogLine>;
  /** The newest process of a role. */
  pidOf(role: Role): Promise<number>;
}

export function startDaemon(environment: Readonly<Record<string, string>>): TestDaemon {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      COBALT_STORAGE: 'memory',
      COBALT_EXPORTER: 'memory',
      COBALT_API_PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  let complaint = '';
  readLines(child, (line) => log.push(JSON.parse(line) as LogLine));
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const exited = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  const logged: TestDaemon['logged'] = (event, holds = () => true) =>
    waitFor({
      clock,
      what: `the daemon to log ${event}`,
      timeoutMs: 20_000,
      intervalMs: 20,
      probe: async () => log.find((line) => line.event === event && holds(line)),
      describe: () =>
        `${log
          .slice(-5)
          .map((line) => JSON.stringify(line))
          .join('\n')} ${complaint}`,
    });
  return {
    pid: child.pid ?? 0,
    log,
    complaint: () => complaint,
    exited,
    signal: (signal) => void child.kill(signal),
    logged,
    pidOf: async (role) => {
      await logged('role.started', (line) => line.role === role);
      return Number(log.findLast((line) => line.event === 'role.started' && line.role === role)?.pid);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** False when there is no such process, or only its remains that nobody has collected yet. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .trim()
      .startsWith('Z');
  } catch {
    return false;
  }
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
