// Docker Compose, as a command. Containers are watched and hit through the
// engine's API; bringing a file up and down is Compose's own business.

import { ExecaError, execa } from 'execa';
import { RigError } from '../../base/errors.ts';

export interface ComposeProject {
  /** Names every resource; unique for a run. */
  readonly project: string;
  /** Path of the compose file. */
  readonly file: string;
  /** Docker's own settings (DOCKER_HOST and such) for the command. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `docker compose <args>` for the project; throws `machine` with Compose's last words. */
export async function compose(
  project: ComposeProject,
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const command = ['compose', '--project-name', project.project, '--file', project.file, ...args];
  try {
    const { stdout } = await execa('docker', command, {
      timeout: options.timeoutMs ?? 120_000,
      env: { ...project.env, COMPOSE_PROGRESS: 'plain', COMPOSE_ANSI: 'never' },
      stdin: 'ignore',
      // A Ctrl-C at the terminal is the rig's to handle: Compose must not be cut short by it.
      detached: true,
      ...(options.signal && { cancelSignal: options.signal }),
    });
    return stdout;
  } catch (error) {
    throw composeError(args, error);
  }
}

function composeError(args: readonly string[], error: unknown): RigError {
  if (!(error instanceof ExecaError)) return RigError.from(error, { code: 'machine' });
  if (error.isCanceled)
    return new RigError('aborted', `interrupted during docker compose ${args[0]}`, { cause: error });
  if (error.code === 'ENOENT') {
    return new RigError('machine', 'the docker command was not found', {
      next: 'Run scripts/setup, or install Docker and its Compose plugin.',
      cause: error,
    });
  }
  const text = String(error.stderr ?? '').trim();
  const words = text.split('\n').filter(Boolean).slice(-3).join(' | ');
  if (/is not a docker command|unknown (shorthand )?flag: .*'?(p|project-name)/i.test(text)) {
    return new RigError('machine', 'Docker has no Compose v2 plugin', {
      next: 'Run scripts/setup, or install the docker-compose-v2 package.',
      cause: error,
    });
  }
  const reason = error.timedOut ? 'took too long' : words || error.shortMessage;
  return new RigError('machine', `docker compose ${args[0]} failed: ${reason}`, {
    next: hintFor(text),
    cause: error,
  });
}

function hintFor(text: string): string {
  if (/no space left/i.test(text)) return 'Free some disk space (docker system df shows what Docker holds).';
  if (/port is already allocated|address already in use/i.test(text))
    return 'Another program holds the port; end it or try again.';
  if (/cannot connect|connection refused/i.test(text))
    return 'Start the Docker engine, or run scripts/setup.';
  if (/no such image|pull access denied|not found/i.test(text))
    return 'Build the images: npm run rig -- images.';
  return 'Run rig doctor to see what the machine lacks.';
}
