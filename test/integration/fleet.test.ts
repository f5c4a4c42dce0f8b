// Simulated nodes in front of a real etcd: the binary that a fleet starts for itself.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { etcdPath } from '../../src/cluster/processes.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { type Cluster, powered, scaled, withDevices } from '../../src/fleet/cluster.ts';
import { changeCluster, createCluster, readCluster, runningIn } from '../../src/fleet/cluster-file.ts';
import { startEtcdBinary } from '../../src/fleet/etcd-binary.ts';
import { mirrored, writeMirror } from '../../src/fleet/mirror.ts';
import { kindOf, readApi, readEtcd } from '../../src/fleet/mirror-source.ts';
import { type RunningCluster, runCluster } from '../../src/fleet/run.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import type { Volume } from '../../src/model/volume.ts';
import { createHttpNetwork } from '../../src/network/http.ts';
import { clusterOf } from '../unit/fleet/clusters.ts';

jest.setTimeout(120_000);

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
const clock = createSystemClock();
const network = createHttpNetwork({ clock });
const etcdBinary = await etcdPath();
const BASE = { heartbeatSeconds: 1, reconcileIntervalMs: 1000, failOverMs: 200 };

let folder: string;
let said: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-'));
  said = [];
});

afterEach(() => rm(folder, { recursive: true }));

interface Running extends AsyncDisposable {
  readonly cluster: RunningCluster;
}

async function run(state = folder): Promise<Running> {
  const stop = new AbortController();
  const started = Promise.withResolvers<RunningCluster>();
  const ended = runCluster(
    {
      ...{ folder: state, clock, random: createSystemRandom(), network, keepsDisks: true, control: true },
      findEtcd: etcdPath,
      log: createLog({ write: (line) => void said.push(line), nowMs: clock.nowMs, level: 'warn' }),
      onProgress: (what) => void said.push(what),
      onRunning: started.resolve,
    },
    stop.signal,
  );
  ended.catch(started.reject);
  const cluster = await started.promise;
  return {
    cluster,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
    },
  };
}

const until = <T>(what: string, probe: () => Promise<T | undefined>) =>
  waitFor({ clock, what, timeoutMs: 60_000, probe, describe: () => said.slice(-5).join('\n') });

const complete = ({ cluster }: Running) =>
  until('all to register', async () => cluster.isComplete() || undefined);

interface WithApi {
  readonly cluster: Pick<RunningCluster, 'api'>;
}

async function call<T>({ cluster: { api } }: WithApi, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${api}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  });
  return (await answer.json()) as T;
}

const order = (running: WithApi, name: string, constraints = {}) =>
  call<Volume>(running, '/volumes', {
    ...{ name, meta: {}, requested: { reserved_size: 1, constraints } },
    exports: [{ host: '10.0.0.1', access: 'rw' }],
  });

const becomes = (running: WithApi, { id }: Volume, state: Volume['state']) =>
  until(`${id} to be ${state}`, async () => {
    const volume = await call<Volume>(running, `/volumes/${id}`);
    return volume.state === state ? volume : undefined;
  });

const change = (how: (cluster: Cluster) => Cluster) => changeCluster(folder, clock, how);

describe('a fleet in front of a real etcd', () => {
  it('is of virtual nodes that take work, and none that must have a disk', async () => {
    await createCluster(folder, clusterOf(20, BASE));
    await using running = await run();
    await complete(running);
    const { nodes } = await call<{ nodes: { name: string; virtual: boolean }[] }>(running, '/nodes');
    expect(nodes.map(({ virtual }) => virtual)).toEqual(Array.from({ length: 20 }, () => true));
    const volume = await order(running, 'any');
    await becomes(running, volume, 'ready');
    const real = await order(running, 'real', { virtual: 'false' });
    await until('the reason why it waits', async () => {
      const { control } = await call<Volume>(running, `/volumes/${real.id}`);
      return control.error === 'no live node satisfies the constraints' || undefined;
    });
    expect(running.cluster.status()).toMatchObject({ nodes: 20, lostLeases: 0, exports: 1 });
  });

  it('grows, and shrinks without losing a volume', async () => {
    await createCluster(folder, clusterOf(3, BASE));
    await using running = await run();
    await complete(running);
    const volumes = await Promise.all(['a', 'b', 'c'].map((name) => order(running, name)));
    for (const volume of volumes) await becomes(running, volume, 'ready');
    await change((cluster) => scaled(cluster, 5, 'drained'));
    await until('five nodes', async () => running.cluster.status().registered === 5 || undefined);
    await change((cluster) => scaled(cluster, 1, 'drained'));
    await until('one node', async () => (await readCluster(folder)).nodes.length === 1 || undefined);
    const left = await Promise.all(volumes.map((volume) => becomes(running, volume, 'ready')));
    expect(left.map(({ node }) => node)).toEqual(['sim-00001', 'sim-00001', 'sim-00001']);
    const { nodes } = await call<{ nodes: unknown[] }>(running, '/nodes?alive=any');
    expect(nodes).toHaveLength(1);
  });

  it('comes back as it was, with its disks and what they export', async () => {
    await createCluster(folder, withDevices(clusterOf(4, BASE), { count: 1, seenBy: 2 }));
    let volume: Volume;
    {
      await using running = await run();
      await complete(running);
      volume = await order(running, 'kept');
      volume = await becomes(running, volume, 'ready');
      await change((cluster) => powered(cluster, 'off', ['sim-00004']));
      await until('four of five', async () => running.cluster.status().on === 4 || undefined);
    }
    await using running = await run();
    await complete(running);
    expect(running.cluster.status()).toMatchObject({ nodes: 5, on: 4, registered: 4 });
    await until('the export', async () => running.cluster.status().exports === 1 || undefined);
    expect(await call<Volume>(running, `/volumes/${volume.id}`)).toMatchObject({
      ...{ state: 'ready', node: volume.node, actual: volume.actual },
    });
  });

  it('comes back, too, when its process was killed, of which nothing is left', async () => {
    await createCluster(folder, clusterOf(4, BASE));
    const rig = execa(process.execPath, [MAIN, 'sim', 'run', '--state', folder], {
      cwd: folder,
      reject: false,
    });
    const { api, etcd } = await until('its API', async () => {
      const running = await runningIn(folder);
      return running?.api == null ? undefined : { api: running.api, etcd: running.etcd[0] ?? '' };
    });
    const killed = { cluster: { api } };
    let volume = await order(killed, 'kept');
    volume = await becomes(killed, volume, 'ready');
    rig.kill('SIGKILL');
    await rig;
    expect(await runningIn(folder)).toBeUndefined();
    for (const url of [`${etcd}/version`, `${api}/healthz`]) {
      await until(`${url} to be gone`, async () =>
        fetch(url).then(
          () => undefined,
          () => true,
        ),
      );
    }
    await using running = await run();
    await complete(running);
    await until('the export', async () => running.cluster.status().exports === 1 || undefined);
    expect((await call<Volume>(running, `/volumes/${volume.id}`)).node).toBe(volume.node);
    // Whatever the disk was told to keep is on it: nothing was made anew, or found to be missing.
    expect(said.filter((line) => line.includes('"error"'))).toEqual([]);
  });

  it('waits for an etcd that dies, which is started again, and is whole after it', async () => {
    await createCluster(folder, clusterOf(50, BASE));
    await using running = await run();
    await complete(running);
    const { etcdPid } = running.cluster;
    process.kill(etcdPid ?? 0, 'SIGKILL');
    await until('the loss to be noticed', async () => !running.cluster.status().etcdReachable || undefined);
    await until('etcd to be back', async () => running.cluster.status().etcdReachable || undefined);
    await complete(running);
    await becomes(running, await order(running, 'after'), 'ready');
    expect(said.filter((line) => line.startsWith('etcd'))).toEqual([
      'etcd has ended (SIGKILL); it is started again',
      'etcd is back',
    ]);
  });

  it('can be a copy of another cluster, which stays as it is', async () => {
    await createCluster(folder, clusterOf(3, BASE));
    await using running = await run();
    await complete(running);
    const volume = await order(running, 'copied');
    await becomes(running, volume, 'ready');
    const [etcd = ''] = running.cluster.etcd;
    const { api } = running.cluster;
    expect(await Promise.all([kindOf(etcd, network), kindOf(api ?? '', network)])).toEqual(['etcd', 'api']);
    const kv = createEtcdKv({ endpoints: [etcd] });
    const [byEtcd, byApi] = await Promise.all([readEtcd(kv), readApi(api ?? '', network)]);
    expect(byApi).toEqual(byEtcd);
    const copy = join(folder, 'copy');
    const cluster = mirrored(byEtcd, clusterOf(1, BASE));
    await writeMirror({
      etcdBinary,
      folder: copy,
      clock,
      random: createSystemRandom(),
      source: byEtcd,
      cluster,
    });
    await using mirror = await run(copy);
    await complete(mirror);
    await until('the export', async () => mirror.cluster.status().exports === 1 || undefined);
    expect([...mirror.cluster.fleet.nodes.keys()]).toEqual([...running.cluster.fleet.nodes.keys()]);
    const { node, requested } = await becomes(mirror, volume, 'ready');
    expect({ node, requested }).toEqual({
      node: (await call<Volume>(running, `/volumes/${volume.id}`)).node,
      requested: volume.requested,
    });
    expect(mirror.cluster.status()).toMatchObject({ errors: 0 });
    expect(await readEtcd(kv)).toEqual(byEtcd);
    await kv.close();
  });
});

describe('an etcd that a fleet starts', () => {
  it('says what to do where there is none', async () => {
    await expect(startEtcdBinary({ clock, folder, binary: 'etcd-that-is-nowhere' })).rejects.toMatchObject({
      code: 'machine',
      message: expect.stringContaining("etcd ('etcd-that-is-nowhere') could not be started"),
      next: expect.stringContaining('etcd-server'),
    });
    expect(await readFile(join(folder, 'etcd.log'), 'utf8')).toContain('etcd-that-is-nowhere');
  });
});
