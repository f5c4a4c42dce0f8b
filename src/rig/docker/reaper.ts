// The reaper: a container that outlives the rig and removes what the rig left,
// should it die without cleaning up. It speaks Ryuk's protocol (a label filter a
// line, answered by ACK), and listens on 127.0.0.1 only.

import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { engine } from './containers.ts';

const REAPER_PORT = 8080;

export interface Reaper {
  /** From now on everything with the label (`key=value`) goes when this process does. */
  protect(label: string): Promise<void>;
  /** Ends the reaper without reaping: the caller has cleaned up, or wants to keep what there is. */
  release(): Promise<void>;
}

/**
 * Starts a reaper of this process's own. `socketPath` is the engine's socket as
 * the engine itself sees it. Its container goes by itself when the connection ends.
 */
export async function startReaper(options: {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly image: string;
  readonly socketPath: string;
  /** Tells the reapers of concurrent rigs apart. */
  readonly id: string;
}): Promise<Reaper> {
  const { docker, clock, image, socketPath, id } = options;
  const container = await engine('start the reaper', async () => {
    const created = await docker.createContainer({
      Image: image,
      name: `cobalt-rig-reaper-${id}`,
      Labels: { 'dev.cobalt-rig.reaper': id },
      ExposedPorts: { [`${REAPER_PORT}/tcp`]: {} },
      HostConfig: {
        AutoRemove: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Binds: [`${socketPath}:/var/run/docker.sock`],
        PortBindings: { [`${REAPER_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      },
    });
    await created.start();
    return created;
  });
  const { NetworkSettings } = await engine('inspect the reaper', () => container.inspect());
  const port = Number(NetworkSettings.Ports[`${REAPER_PORT}/tcp`]?.[0]?.HostPort);
  // Docker's proxy accepts connections before the reaper listens, so only an ACK counts.
  const connection = await waitFor({
    clock,
    what: 'the reaper to answer',
    timeoutMs: 15_000,
    intervalMs: 20,
    probe: () => open(port, `label=dev.cobalt-rig.reaped-by=${id}`),
  });
  return {
    protect: (label) => register(connection, `label=${label}`),
    release: async () => {
      connection.socket.destroy();
      await engine('remove the reaper', () => container.remove({ force: true }));
    },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly lines: Interface;
}

async function open(port: number, filter: string): Promise<Connection> {
  const socket = connect(port, '127.0.0.1');
  // The process may end while the connection is open; that is the point of it.
  socket.unref();
  const connection = { socket, lines: createInterface({ input: socket }) };
  try {
    await register(connection, filter);
    return connection;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function register({ socket, lines }: Connection, filter: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => finish(() => reject(RigError.from(error, { code: 'machine' })));
    const onClose = (): void => onError(new RigError('machine', 'the reaper hung up'));
    const onLine = (line: string): void =>
      line === 'ACK' ? finish(resolve) : onError(new RigError('machine', `the reaper answered '${line}'`));
    const finish = (end: () => void): void => {
      socket.off('error', onError).off('close', onClose);
      lines.off('line', onLine);
      // Later errors of an idle connection mean nothing: the reaper is a safety net.
      socket.on('error', () => undefined);
      end();
    };
    socket.once('error', onError).once('close', onClose);
    lines.once('line', onLine);
    socket.write(`${filter}\n`);
  });
}
