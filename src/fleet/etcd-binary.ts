// An etcd of the fleet's own: the binary of Debian's etcd-server, as a child on 127.0.0.1
// that ends with us.

import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { createEtcdKv } from '../kv/etcd.ts';

export interface EtcdBinary extends AsyncDisposable {
  readonly endpoint: string;
  readonly pid: number;
  /** Resolves with the reason when it has ended, asked to or not. */
  readonly ended: Promise<string>;
  /** As by SIGKILL; the data stays. */
  kill(): Promise<void>;
}

export interface EtcdBinaryOptions {
  readonly clock: Clock;
  /** Holds the data, and what etcd prints (`etcd.log`). One that was used before is gone on with. */
  readonly folder: string;
  /** Default: any that is free. */
  readonly port?: number | undefined;
  /** Default: `etcd`, found on the PATH. */
  readonly binary?: string;
}

const STARTS_WITHIN_MS = 20_000;
const STOPS_WITHIN_MS = 10_000;

/** Resolves when it answers. Throws `machine` when there is no binary, or it ends at once. */
export async function startEtcdBinary(options: EtcdBinaryOptions): Promise<EtcdBinary> {
  const { clock, folder, binary = 'etcd' } = options;
  await mkdir(folder, { recursive: true });
  const [port, peerPort] = await Promise.all([options.port ?? freePort(), freePort()]);
  const endpoint = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  await using log = await open(join(folder, 'etcd.log'), 'a');
  const child = spawn(
    binary,
    [
      ...['--name', 'fleet', '--data-dir', join(folder, 'data')],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      // A member's peer address counts in its first start only: later ones may have another.
      ...['--initial-cluster', `fleet=${peer}`, '--logger', 'zap', '--log-outputs', 'stdout'],
      // Ten thousand nodes that come and go write more than the default of 2 GiB holds in a day.
      ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '5m'],
    ],
    // A group of its own: Ctrl-C is for us, who tell it when the agents have said good-bye.
    { stdio: ['ignore', log.fd, log.fd], detached: true },
  );
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // Whatever ends us without a word must not leave it behind.
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  void ended.then(() => process.off('exit', killAtExit));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const cancel = clock.after(STOPS_WITHIN_MS, () => child.kill('SIGKILL'));
    await ended;
    cancel();
  };
  const started: EtcdBinary = {
    endpoint,
    pid: child.pid ?? 0,
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    [Symbol.asyncDispose]: stop,
  };
  const failed = ended.then((why) => {
    throw new RigError('machine', `etcd could not be started as '${binary}': ${why}`, {
      next: `Install it (Debian: apt-get install etcd-server), give --etcd <endpoint>, or look into ${join(folder, 'etcd.log')}.`,
    });
  });
  try {
    await Promise.race([failed, untilItAnswers(clock, endpoint)]);
    return started;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilItAnswers(clock: Clock, endpoint: string): Promise<void> {
  const kv = createEtcdKv({ endpoints: [endpoint] });
  try {
    await waitFor({
      clock,
      what: `etcd at ${endpoint} to answer`,
      timeoutMs: STARTS_WITHIN_MS,
      probe: () =>
        kv.get('/').catch((error: unknown) => {
          if (!hasCode(error, 'unavailable', 'timeout')) throw error;
          return undefined;
        }),
    });
  } finally {
    await kv.close();
  }
}

/** Of 127.0.0.1, free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
