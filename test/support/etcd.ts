// A real etcd in a container of our own image, for the contract and integration tests.

import { createServer } from 'node:net';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';

const ETCD_IMAGE = 'cobalt-rig/etcd:latest';
const REAPER_IMAGE = 'cobalt-rig/reaper:latest';

export interface TestEtcd extends AsyncDisposable {
  /** Stays the same over kill and start. */
  readonly endpoints: readonly string[];
  /** SIGKILL; the data stays. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again; resolves when the container runs, which is before etcd answers. */
  start(): Promise<void>;
  /** Freezes it: connections stay up, nothing answers. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Compacts the history, as an operator would. */
  compact(revision: number): Promise<void>;
}

/** Takes about a second. Its container and data go with the disposal, or with this process. */
export async function startEtcd(): Promise<TestEtcd> {
  process.env.RYUK_CONTAINER_IMAGE ??= REAPER_IMAGE;
  const port = await freePort();
  const endpoints = [`127.0.0.1:${port}`];
  const started = await new LoopbackContainer(ETCD_IMAGE)
    .withExposedPorts({ container: 2379, host: port })
    .withEnvironment({
      ETCD_LISTEN_CLIENT_URLS: 'http://0.0.0.0:2379',
      ETCD_ADVERTISE_CLIENT_URLS: `http://127.0.0.1:${port}`,
      // Only a power cut could tell, and it makes the tests faster on slow disks.
      ETCD_UNSAFE_NO_FSYNC: 'true',
    })
    .withWaitStrategy(Wait.forLogMessage(/ready to serve client requests/).withStartupTimeout(20_000))
    .start();
  const client = await getContainerRuntimeClient();
  const container = client.container.getById(started.getId());
  await answers(endpoints);
  return {
    endpoints,
    kill: async () => {
      const gone = container.wait();
      await container.kill({ signal: 'SIGKILL' });
      await gone;
    },
    start: () => container.start(),
    pause: () => container.pause(),
    unpause: () => container.unpause(),
    compact: async (revision) => {
      const { exitCode, output } = await started.exec(['etcdctl', 'compaction', String(revision)]);
      if (exitCode !== 0) throw new Error(`etcdctl compaction ${revision} failed: ${output}`);
    },
    [Symbol.asyncDispose]: async () => {
      await started.stop({ timeout: 0, remove: true, removeVolumes: true });
    },
  };
}

/** testcontainers publishes ports to the whole network; ours are for this machine only. */
class LoopbackContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings: Record<string, { HostIp?: string; HostPort?: string }[]> =
      this.hostConfig.PortBindings ?? {};
    for (const binding of Object.values(bindings).flat()) binding.HostIp = '127.0.0.1';
  }
}

/** Resolves when a fresh client gets an answer. */
export async function answers(endpoints: readonly string[], timeoutMs = 20_000): Promise<void> {
  const kv = createEtcdKv({ endpoints });
  try {
    await waitFor({
      clock: createSystemClock(),
      what: `etcd at ${endpoints.join(', ')} to answer`,
      timeoutMs,
      probe: () => kv.get('/'),
    });
  } finally {
    await kv.close();
  }
}

/** A port that was free a moment ago. It is pinned, because Docker picks another at every start. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
