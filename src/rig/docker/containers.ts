// The containers of one project through the engine's API: find, inspect, hit,
// run commands in them, read their logs.

import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { ContainerState, ExecResult } from '../deployment.ts';
import { createCommandStarts } from './command-starts.ts';
import { withDeadline } from './engine.ts';

export const SERVICE_LABEL = 'com.docker.compose.service';

/** The containers of a Compose project, by service. */
export interface Containers {
  /** Names of the services that have a container. */
  services(): Promise<readonly string[]>;
  get(service: string): Promise<Docker.Container>;
  state(service: string): Promise<ContainerState>;
  inspect(service: string): Promise<Docker.ContainerInspectInfo>;
  /** The port of 127.0.0.1 that leads to the container's port. */
  publishedPort(service: string, port: number): Promise<number>;
  exec(service: string, command: readonly string[]): Promise<ExecResult>;
  /** Freezes all processes of the container, when none of our commands is about to start there. */
  pause(service: string): Promise<void>;
  logs(service: string): Promise<string>;
}

export function createContainers(docker: Docker, clock: Clock, project: string): Containers {
  const starts = createCommandStarts(clock);
  const ids = new Map<string, string>();

  const refresh = async (): Promise<void> => {
    const filters = { label: [`com.docker.compose.project=${project}`] };
    const found = await engine('list containers', () => docker.listContainers({ all: true, filters }));
    ids.clear();
    for (const container of found) {
      const service = container.Labels[SERVICE_LABEL];
      if (service !== undefined) ids.set(service, container.Id);
    }
  };

  const get = async (service: string): Promise<Docker.Container> => {
    if (!ids.has(service)) await refresh();
    const id = ids.get(service);
    if (id === undefined) throw new RigError('not_found', `project ${project} has no container '${service}'`);
    return docker.getContainer(id);
  };

  /** One that is not there any more may have been made anew by somebody else: it is looked for once more. */
  const withContainer = async <T>(
    service: string,
    call: (container: Docker.Container) => Promise<T>,
  ): Promise<T> => {
    const isKnown = ids.has(service);
    const container = await get(service);
    try {
      return await call(container);
    } catch (error) {
      ids.delete(service);
      if (!isKnown || !hasCode(error, 'not_found')) throw error;
      return call(await get(service));
    }
  };

  const inspect = (service: string): Promise<Docker.ContainerInspectInfo> =>
    withContainer(service, (container) => engine(`inspect ${service}`, () => container.inspect()));

  return {
    services: async () => {
      await refresh();
      return [...ids.keys()].sort();
    },
    get,
    inspect,
    state: async (service) => {
      try {
        const { State } = await inspect(service);
        if (State.Paused) return 'paused';
        if (State.Running) return 'running';
        return State.Status === 'created' ? 'created' : 'exited';
      } catch (error) {
        if (hasCode(error, 'not_found')) return 'absent';
        throw error;
      }
    },
    publishedPort: async (service, port) => {
      const { NetworkSettings } = await inspect(service);
      const binding = NetworkSettings.Ports[`${port}/tcp`]?.[0];
      if (binding !== undefined) return Number(binding.HostPort);
      throw new RigError('unavailable', `${service} publishes no port ${port} now; is it running?`);
    },
    exec: (service, command) =>
      starts.command(service, (made) =>
        withContainer(service, (container) => execIn(docker, container, service, command, made)),
      ),
    pause: (service) => starts.freeze(service, async () => void (await (await get(service)).pause())),
    logs: async (service) => {
      const raw = await withContainer(service, (container) =>
        engine(`read the logs of ${service}`, () =>
          container.logs({ stdout: true, stderr: true, timestamps: true, follow: false }),
        ),
      );
      return demultiplexed(raw as unknown as Buffer);
    },
  };
}

/** The longest is an inventory of a full disk. One in a container that is frozen meanwhile would never end. */
const EXEC_WITHIN_MS = 120_000;

/** `service` names the container in messages; `made` is told of the command before it is started. */
export async function execIn(
  docker: Docker,
  container: Docker.Container,
  service: string,
  command: readonly string[],
  made: (exec: Docker.Exec) => void = () => undefined,
): Promise<ExecResult> {
  return engine(`run ${command[0]} in ${service}`, async () => {
    const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
    made(exec);
    const stream = await exec.start({ hijack: true, stdin: false });
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    docker.modem.demuxStream(stream, stdout, stderr);
    stream.on('end', () => {
      stdout.end();
      stderr.end();
    });
    stream.on('error', (error) => stdout.destroy(error));
    const [out, err] = await withDeadline(Promise.all([text(stdout), text(stderr)]), EXEC_WITHIN_MS).finally(
      () => stream.destroy(),
    );
    const { ExitCode } = await exec.inspect();
    return { exitCode: ExitCode ?? -1, stdout: out, stderr: err };
  });
}

/** The engine's log framing: a header of 8 bytes (stream, 0, 0, 0, length), then the payload. */
export function demultiplexed(raw: Buffer): string {
  const parts: Buffer[] = [];
  let offset = 0;
  while (offset + 8 <= raw.length) {
    const length = raw.readUInt32BE(offset + 4);
    parts.push(raw.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Brings the engine's errors into the fold: 404 is `not_found`, all else the machine's fault. */
export async function engine<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RigError) throw error;
    const status = (error as { statusCode?: number }).statusCode;
    const reason = (error as { json?: { message?: string } }).json?.message ?? (error as Error).message;
    throw new RigError(status === 404 ? 'not_found' : 'machine', `cannot ${what}: ${reason}`, {
      next: 'Run rig doctor to see what the machine lacks.',
      cause: error,
    });
  }
}
