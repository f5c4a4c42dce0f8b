// The reaper: a container that outlives the rig and removes what the rig left,
// should it die without cleaning up. It speaks Ryuk's protocol (a label filter a
// line, answered by ACK), and listens on 127.0.0.1 only.

import { connect, type Socket } from 'node:net';
import type Docker from 'dockerode';
import { ExecaError, execa } from 'execa';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { PUBLISHED_PORTS } from '../compose/render.ts';
import { engine } from './containers.ts';
import { withDeadline } from './engine.ts';

const REAPER_PORT = 8080;

export interface Reaper {
  /** From now on everything with the label (`key=value`) goes when this process does. */
  protect(label: string): Promise<void>;
  /** Ends the reaper without reaping: all is removed that was to be. */
  release(): Promise<void>;
  /** No longer: it is gone, or is to stay. */
  forget(label: string): void;
  /** Hangs up: the reaper removes what is still protected. */
  leave(): void;
}

export interface ReaperOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly image: string;
  /** The engine's socket as the engine itself sees it. */
  readonly socketPath: string;
  /** Tells the reapers of concurrent rigs apart. */
  readonly id: string;
  /** Further labels of its container; none by default. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Starts a reaper of this process's own. Its container goes by itself when the connection ends.
 */
export async function startReaper(options: ReaperOptions): Promise<Reaper> {
  const { docker, clock, id } = options;
  await runDetached(containerArguments(options));
  const container = docker.getContainer(reaperName(id));
  const { NetworkSettings } = await engine('inspect the reaper', () => container.inspect());
  const port = Number(NetworkSettings.Ports[`${REAPER_PORT}/tcp`]?.[0]?.HostPort);
  // Docker's proxy accepts connections before the reaper listens, so only an ACK counts.
  const socket = await waitFor({
    clock,
    what: 'the reaper to answer',
    timeoutMs: 15_000,
    intervalMs: 20,
    probe: () => open(port, `label=dev.cobalt-rig.reaped-by=${id}`),
  });
  return {
    protect: (label) => register(socket, `label=${label}`),
    forget: (label) => void socket.write(`forget:label=${label}\n`),
    release: async () => {
      socket.destroy();
      await engine('remove the reaper', () => container.remove({ force: true }));
    },
    leave: () => void socket.end(),
  };
}

/** Of its container: there for as long as its rig is, and until all is removed that it left. */
export const reaperName = (id: string): string => `cobalt-rig-reaper-${id}`;

function containerArguments(options: ReaperOptions): readonly string[] {
  const { image, socketPath, id, labels } = options;
  const all = { ...labels, 'dev.cobalt-rig.reaper': id };
  return [
    ...['run', '--detach', '--rm', '--pull', 'never', '--name', reaperName(id)],
    ...Object.entries(all).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'],
    // Unlike a volume, a bind mount fails when there is no such socket, instead of making a folder of that name.
    ...['--mount', `type=bind,source=${socketPath},target=/var/run/docker.sock`],
    ...['--publish', `127.0.0.1:${PUBLISHED_PORTS}:${REAPER_PORT}`],
    // Whoever started it and never came is dead.
    ...['--env', 'RYUK_CONNECTION_TIMEOUT=15s'],
    image,
  ];
}

/**
 * A process of its own, in its own group: if the rig is killed here it goes on,
 * and the reaper starts, finds nobody, and ends. By the engine's API there would be a
 * moment with a container that was created and never started, which nothing ever removes.
 */
async function runDetached(args: readonly string[]): Promise<void> {
  try {
    await execa('docker', args, { detached: true, cleanup: false, stdin: 'ignore', timeout: 30_000 });
  } catch (error) {
    const words = error instanceof ExecaError ? String(error.stderr || error.shortMessage) : String(error);
    throw new RigError('machine', `cannot start the reaper: ${words.trim().replaceAll('\n', ' | ')}`, {
      next: 'Run rig doctor to see what the machine lacks.',
      cause: error,
    });
  }
}

async function open(port: number, filter: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // Once it is registered, an error of the idle connection means nothing: the reaper is a safety net.
  socket.on('error', () => undefined);
  try {
    await register(socket, filter);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** It asks the engine first, and gives that 30 s. */
const ANSWERS_WITHIN_MS = 40_000;

/** Resolves with the reaper's ACK; one registration at a time. Throws `machine` without it. */
export async function register(socket: Socket, filter: string): Promise<void> {
  // Nothing would tell of a connection that has ended before.
  if (socket.destroyed) throw new RigError('machine', 'the reaper hung up');
  try {
    await withDeadline(acknowledged(socket, filter), ANSWERS_WITHIN_MS);
  } catch (error) {
    throw RigError.from(error, { code: 'machine' });
  }
}

function acknowledged(socket: Socket, filter: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const fail = (reason: string): void =>
      finish(() => reject(new RigError('machine', `the reaper ${reason}`)));
    const onClose = (): void => fail('hung up');
    const onData = (chunk: Buffer): void => {
      answer += chunk.toString('utf8');
      if (!answer.includes('\n')) return;
      if (answer === 'ACK\n') finish(resolve);
      else fail(`answered '${answer.trim()}'`);
    };
    const finish = (end: () => void): void => {
      socket.off('close', onClose).off('data', onData);
      end();
    };
    socket.on('close', onClose).on('data', onData);
    socket.write(`${filter}\n`);
  });
}
