// Running one command of the operating system: an argument array (never a
// shell), a deadline, and its last words in the error. For backends only.

import { execFile } from 'node:child_process';
import { RigError } from './errors.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const LARGEST_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface CommandOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Default 10,000. Then the command is killed, and whether it had an effect is not known. */
  readonly timeoutMs?: number;
}

/**
 * Answers with what the command wrote to stdout. A command that ends with
 * another code than 0 throws `io`, one that outlives its deadline `timeout`,
 * one that isn't installed `unsupported`. The locale is C, so that output can be parsed.
 */
export function runCommand(options: CommandOptions): Promise<string> {
  const { file, args, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const said = `${file} ${args.join(' ')}`;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      [...args],
      { encoding: 'utf8', maxBuffer: LARGEST_OUTPUT_BYTES, env: { PATH: SYSTEM_PATH, LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        clearTimeout(deadline);
        if (error === null) resolve(stdout);
        else reject(commandError(said, error, stderr));
      },
    );
    child.stdin?.end();
    // Our own deadline, not execFile's: that one waits for the process to end,
    // and a process that hangs on a dying disk can't even be killed.
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      reject(new RigError('timeout', `${said}: no end within ${timeoutMs} ms`, { definite: false }));
    }, timeoutMs);
  });
}

/** Where Debian keeps the tools, whatever the caller's PATH says. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function commandError(said: string, error: Error & { code?: unknown }, stderr: string): RigError {
  if (error.code === 'ENOENT') {
    return new RigError('unsupported', `${said}: the command is not installed`, { cause: error });
  }
  const words = stderr.trim() || `ended with ${String(error.code ?? 'a signal')}`;
  return new RigError('io', `${said}: ${words}`, { definite: false, cause: error });
}
