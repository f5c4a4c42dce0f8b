// An etcd of the fleet's own: the binary of Debian's etcd-server, as a child on 127.0.0.1.

import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { createEtcdKv } from '../kv/etcd.ts';
import { type Child, startChild, untilReady } from './child.ts';

export interface EtcdBinary extends Child, AsyncDisposable {
  readonly endpoint: string;
}

export interface EtcdBinaryOptions {
  readonly clock: Clock;
  /** Holds the data, and what etcd prints (`etcd.log`). One that was used before is gone on with. */
  readonly folder: string;
  /** Default: any that is free. */
  readonly port?: number | undefined;
  /** Default: `etcd`, found on the PATH. */
  readonly binary?: string | undefined;
}

const ANSWERS_WITHIN_MS = 20_000;

/** Resolves when it answers. Throws `machine` when there is no binary, or it ends at once. */
export async function startEtcdBinary(options: EtcdBinaryOptions): Promise<EtcdBinary> {
  const { clock, folder, binary = 'etcd' } = options;
  await mkdir(folder, { recursive: true });
  const [port, peerPort] = await Promise.all([options.port ?? freePort(), freePort()]);
  const endpoint = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const logFile = join(folder, 'etcd.log');
  const child = await startChild({
    ...{ clock, command: binary, logFile },
    args: [
      ...['--name', 'fleet', '--data-dir', join(folder, 'data')],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      // A member's peer address counts in its first start only: later ones may have another.
      ...['--initial-cluster', `fleet=${peer}`, '--logger', 'zap', '--log-outputs', 'stdout'],
      // Ten thousand nodes that come and go write more than the default of 2 GiB holds in a day.
      ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '5m'],
    ],
  });
  await untilReady(child, {
    what: `etcd ('${binary}')`,
    next: `Install it (Debian: apt-get install etcd-server), give --etcd <endpoint>, or look into ${logFile}.`,
    ready: (signal) => untilItAnswers(clock, endpoint, signal),
  });
  return { ...child, endpoint, [Symbol.asyncDispose]: child.stop };
}

async function untilItAnswers(clock: Clock, endpoint: string, signal: AbortSignal): Promise<void> {
  const kv = createEtcdKv({ endpoints: [endpoint] });
  try {
    await waitFor({
      ...{ clock, signal },
      what: `etcd at ${endpoint} to answer`,
      timeoutMs: ANSWERS_WITHIN_MS,
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
