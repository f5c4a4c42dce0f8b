// Commands of the operating system that take their time: their output read or their input fed as a
// stream, with backpressure, and an end to them when whoever started them wants no more. Each runs in a
// process group of its own, so that what it starts ends with it. For backends only.

import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { abortError } from './clock.ts';
import { SYSTEM_PATH } from './command.ts';
import { RigError } from './errors.ts';

export interface StreamCommandOptions {
  readonly file: string;
  readonly args: readonly string[];
}

type Piped = 'pipe' | 'ignore';

interface Started {
  readonly child: ChildProcess;
  /** Resolves when it ended with 0; rejects as runCommand does. Never goes unhandled. */
  readonly ended: Promise<void>;
  kill(): void;
}

/** Of what a command says on stderr, as much as its last words may have. */
const LAST_WORDS_BYTES = 4096;
/** A process that hangs on a dying disk can't be killed; nobody waits for it longer than this. */
const DEATH_MS = 5_000;

/** What the command writes to stdout. Throws `io` after it if the command then failed. */
export async function* readCommand(options: StreamCommandOptions): AsyncGenerator<Uint8Array> {
  const { child, ended, kill } = start(options, { stdin: 'ignore', stdout: 'pipe' });
  try {
    for await (const chunk of child.stdout ?? []) yield chunk as Uint8Array;
    await ended;
  } finally {
    kill();
    await gone(ended);
  }
}

/**
 * Feeds `input` to the command's stdin and resolves when it took all of it and ended with 0. When the
 * input throws, the command is killed and that error is thrown on.
 */
export async function feedCommand(
  options: StreamCommandOptions & { readonly input: AsyncIterable<Uint8Array> },
): Promise<void> {
  const { child, ended, kill } = start(options, { stdin: 'pipe', stdout: 'ignore' });
  if (child.stdin === null) throw new RigError('internal', `${options.file} has no stdin`);
  let inputError: { readonly thrown: unknown } | undefined;
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of options.input) yield chunk;
    } catch (thrown) {
      inputError = { thrown };
      throw thrown;
    }
  };
  const source = Readable.from(watched(), { objectMode: false });
  const feeding = pipeline(source, child.stdin).then(
    () => true,
    () => false,
  );
  // A command that fails says so at once, even while the input is silent.
  const fed = await Promise.race([feeding, ended.then(() => feeding)]);
  if (inputError !== undefined) {
    kill();
    await gone(ended);
    throw RigError.from(inputError.thrown, { code: 'io' });
  }
  await ended;
  if (!fed) throw new RigError('io', `${options.file} ended before its input did`, { definite: false });
}

/**
 * Runs the command to its end, however long that takes, or until the signal fires: `aborted` then, also when the
 * command can't be killed.
 */
export async function runLongCommand(
  options: StreamCommandOptions & { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal);
  const { ended, kill } = start(options, { stdin: 'ignore', stdout: 'ignore' });
  const hanging = Promise.withResolvers<never>();
  hanging.promise.catch(() => {});
  const onAbort = (): void => {
    kill();
    void gone(ended).then(() => hanging.reject(abortError(signal)));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([ended, hanging.promise]);
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function start({ file, args }: StreamCommandOptions, pipes: { stdin: Piped; stdout: Piped }): Started {
  const said = `${file} ${args.join(' ')}`;
  const child = spawn(file, [...args], {
    detached: true,
    stdio: [pipes.stdin, pipes.stdout, 'pipe'],
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
  });
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-LAST_WORDS_BYTES);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      const reason = missing ? 'the command is not installed' : error.message;
      reject(new RigError(missing ? 'unsupported' : 'io', `${said}: ${reason}`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      const reason = words.trim() || `ended with ${code ?? signal}`;
      if (code === 0) resolve();
      else reject(new RigError('io', `${said}: ${reason}`, { definite: false }));
    });
  });
  ended.catch(() => {});
  return {
    child,
    ended,
    kill: () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
      // Nothing it still holds open may keep us: it is gone or it hangs.
      child.stdout?.destroy();
      child.unref();
    },
  };
}

/** Resolves when it ended, whichever way, or is taken for hanging. */
async function gone(ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DEATH_MS);
  });
  await Promise.race([ended.catch(() => {}), patience]);
  clearTimeout(timer);
}
