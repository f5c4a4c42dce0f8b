// A real etcd in a container of our own image, for the contract and integration tests.

import { createServer } from 'node:net';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { createSystemClock } from '../../src/base/clock.ts';
import { hasCode } from '../../src/base/errors.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import type { EtcdCredentials } from '../../src/kv/etcd-credentials.ts';
import { testImage } from './images.ts';

/** Signals to one server. Its endpoint stays the same over kill and start. */
export interface TestServer {
  /** SIGKILL; the data stays. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again; resolves when the container runs, which is before etcd answers. */
  start(): Promise<void>;
  /** Freezes it: connections stay up, nothing answers. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Runs a command in its container, and answers with what it printed. Throws when it fails. */
  exec(command: readonly string[]): Promise<string>;
}

export interface TestEtcd extends TestServer, AsyncDisposable {
  readonly endpoints: readonly string[];
  /** Compacts the history, as an operator would. */
  compact(revision: number): Promise<void>;
}

export interface EtcdContainerOptions {
  /** ETCD_* variables beside, or instead of, those for a single member without TLS. */
  readonly environment?: Readonly<Record<string, string>>;
  /** By absolute path in the container. */
  readonly files?: Readonly<Record<string, string>>;
  /** Instead of etcd itself. */
  readonly entrypoint?: readonly string[];
  /** How it can be asked whether it answers. Default: without credentials. */
  readonly credentials?: EtcdCredentials;
}

/** Takes about a second. Its container and data go with the disposal, or with this process. */
export async function startEtcd(options: EtcdContainerOptions = {}): Promise<TestEtcd> {
  const port = await freePort();
  const scheme = options.credentials?.tls === undefined ? 'http' : 'https';
  const endpoints = [`${scheme}://127.0.0.1:${port}`];
  const started = await etcdContainer({
    port,
    files: options.files,
    entrypoint: options.entrypoint,
    environment: {
      ETCD_LISTEN_CLIENT_URLS: `${scheme}://0.0.0.0:2379`,
      ETCD_ADVERTISE_CLIENT_URLS: `${scheme}://127.0.0.1:${port}`,
      ...options.environment,
    },
  }).start();
  const server = await controlOf(started);
  await answers(endpoints, { credentials: options.credentials });
  return {
    ...server,
    endpoints,
    compact: async (revision) => {
      await server.exec(['etcdctl', 'compaction', String(revision)]);
    },
    [Symbol.asyncDispose]: () => remove(started),
  };
}

/** An etcd whose data an operator can back up and restore, with etcd's own tools. */
export interface RestorableEtcd extends TestEtcd {
  /** Takes a snapshot of the running server. Resolves to what names it. */
  backUp(): Promise<string>;
  /** Kills the server and starts it with the snapshot's data, under the same name and addresses. */
  restore(backup: string): Promise<void>;
}

const DATA_DIR_FILE = '/var/lib/data-dir';

/** Starts etcd in the folder that was last restored. */
const START_RESTORED = `export ETCD_DATA_DIR=$(cat ${DATA_DIR_FILE} 2>/dev/null || echo /var/lib/etcd); exec etcd`;

export async function startRestorableEtcd(): Promise<RestorableEtcd> {
  const etcd = await startEtcd({ entrypoint: ['sh', '-c', START_RESTORED] });
  let count = 0;
  return {
    ...etcd,
    backUp: async () => {
      count += 1;
      const backup = `/var/lib/backup-${count}.db`;
      await etcd.exec(['etcdctl', 'snapshot', 'save', backup]);
      return backup;
    },
    restore: async (backup) => {
      count += 1;
      const folder = `/var/lib/restored-${count}`;
      await etcd.exec(['etcdutl', 'snapshot', 'restore', backup, '--data-dir', folder]);
      await etcd.exec(['sh', '-c', `echo ${folder} > ${DATA_DIR_FILE}`]);
      await etcd.kill();
      await etcd.start();
      await answers(etcd.endpoints);
    },
  };
}

/** A container that is yet to be started. */
export function etcdContainer(options: {
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly entrypoint?: readonly string[] | undefined;
}): GenericContainer {
  const files = Object.entries(options.files ?? {}).map(([target, content]) => ({ target, content }));
  const container = new LoopbackContainer(testImage('etcd'));
  if (options.entrypoint !== undefined) container.withEntrypoint([...options.entrypoint]);
  return (
    container
      .withExposedPorts({ container: 2379, host: options.port })
      // Only a power cut could tell, and it makes the tests faster on slow disks.
      .withEnvironment({ ETCD_UNSAFE_NO_FSYNC: 'true', ...options.environment })
      .withCopyContentToContainer(files)
      .withWaitStrategy(Wait.forLogMessage(/ready to serve client requests/).withStartupTimeout(20_000))
  );
}

export async function controlOf(started: StartedTestContainer): Promise<TestServer> {
  const client = await getContainerRuntimeClient();
  const container = client.container.getById(started.getId());
  return {
    kill: async () => {
      const gone = container.wait();
      await container.kill({ signal: 'SIGKILL' });
      await gone;
    },
    start: () => container.start(),
    pause: () => container.pause(),
    unpause: () => container.unpause(),
    exec: async (command) => {
      const { exitCode, output } = await started.exec([...command]);
      if (exitCode !== 0) throw new Error(`${command.join(' ')} failed: ${output}`);
      return output;
    },
  };
}

export async function remove(started: StartedTestContainer): Promise<void> {
  await started.stop({ timeout: 0, remove: true, removeVolumes: true });
}

/** testcontainers publishes ports to the whole network; ours are for this machine only. */
class LoopbackContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings: Record<string, { HostIp?: string; HostPort?: string }[]> =
      this.hostConfig.PortBindings ?? {};
    for (const binding of Object.values(bindings).flat()) binding.HostIp = '127.0.0.1';
  }
}

/** Resolves when a fresh client gets an answer; that it is refused is one, too. */
export async function answers(
  endpoints: readonly string[],
  options: { readonly timeoutMs?: number; readonly credentials?: EtcdCredentials | undefined } = {},
): Promise<void> {
  const kv = createEtcdKv({ endpoints, ...options.credentials });
  try {
    await waitFor({
      clock: createSystemClock(),
      what: `etcd at ${endpoints.join(', ')} to answer`,
      timeoutMs: options.timeoutMs ?? 20_000,
      probe: () => kv.get('/').catch(passRefusal),
    });
  } finally {
    await kv.close();
  }
}

function passRefusal(error: unknown): true {
  if (hasCode(error, 'unsupported')) return true;
  throw error;
}

/** Below those that a kernel gives to outgoing connections: one of them could take the port of a killed server. */
const PORTS = { first: 30_000, count: 2_700 };
let lastPort = Math.floor(Math.random() * PORTS.count);

/** A port that was free a moment ago. It is pinned, because Docker picks another at every start. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS.count; tried++) {
    lastPort = (lastPort + 1) % PORTS.count;
    const port = PORTS.first + lastPort;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of 127.0.0.1 is free from ${PORTS.first} to ${PORTS.first + PORTS.count - 1}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
