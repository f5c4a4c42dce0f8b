// Running a command of the machine: arguments as a list (never a shell), a
// deadline, and a failure that says what the command said.

import { ExecaError, execa } from 'execa';
import { RigError } from '../../base/errors.ts';

export interface CommandOptions {
  /** Default two minutes. */
  readonly timeoutMs?: number;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the reader can do when it fails. */
  readonly next?: string;
}

/** Resolves to stdout, trimmed. Throws `machine` with the last lines of stderr. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { timeoutMs = 120_000, env, cwd, next } = options;
  try {
    const result = await execa(file, args, {
      timeout: timeoutMs,
      stdin: 'ignore',
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    return result.stdout.trim();
  } catch (error) {
    throw new RigError('machine', `\`${[file, ...args].join(' ')}\` failed: ${reason(error, timeoutMs)}`, {
      definite: false,
      cause: error,
      ...(next === undefined ? {} : { next }),
    });
  }
}

/** True when the command exists and exits 0. */
export async function commandSucceeds(file: string, args: readonly string[]): Promise<boolean> {
  try {
    await runCommand(file, args, { timeoutMs: 10_000 });
    return true;
  } catch {
    return false;
  }
}

function reason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof ExecaError)) return String(error);
  if (error.timedOut) return `no end within ${timeoutMs} ms`;
  if (error.code === 'ENOENT') return 'command not found';
  const said = lastLines(`${error.stderr || error.stdout || error.shortMessage}`, 4);
  return `exit code ${error.exitCode ?? error.signal}: ${said}`;
}

/** The last `count` lines with something on them, joined with ` | `. */
export function lastLines(text: string, count: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-count).join(' | ');
}
