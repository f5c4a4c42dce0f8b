// A whole cluster in one process: the daemon's own api, engine and agent on
// memory disks and NFS servers, over any kv. Roles die and come back one by one.

import { createSystemClock } from '../../src/base/clock.ts';
import type { FailpointActions } from '../../src/base/failpoints.ts';
import { createLog, type LogLine } from '../../src/base/log.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createAgent } from '../../src/daemon/agent/agent.ts';
import { createApiContext } from '../../src/daemon/api/api.ts';
import { createClusterObserver } from '../../src/daemon/api/cluster-observer.ts';
import { createApiMetrics } from '../../src/daemon/api/metrics.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';
import { createServer } from '../../src/daemon/api/server.ts';
import { joinFirst, joinWhenReachable } from '../../src/daemon/cluster.ts';
import { createEngine } from '../../src/daemon/engine/engine.ts';
import { createNotifier, type NotifierOptions } from '../../src/daemon/engine/notify/notifier.ts';
import { observeReachability } from '../../src/daemon/reachability.ts';
import { ROOT, volumeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import type { Labels } from '../../src/model/names.ts';
import { ROLES, type Role, type Volume } from '../../src/model/volume.ts';
import { createHttpNetwork } from '../../src/network/http.ts';
import { createMemoryWorld, type MemoryWorld } from '../../src/network/memory.ts';
import { createMemoryExporter, createMemoryNfsServer, type MemoryExporter } from '../../src/nfs/memory.ts';
import { createMemoryDisk, createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts';
import { type Call, createCall } from './call.ts';
import { type Ambush, createAmbush, createLife, type Life, mortal, mortalClock } from './mortal.ts';
import { type PausableKv, pausable } from './pausable-kv.ts';

export const clock = createSystemClock();
export const random = createSystemRandom();
export const RECONCILE_INTERVAL_MS = 150;
export const LEASE_TTL_SECONDS = 2;
const AGENT_PORT = 8081;

export interface NodeOptions {
  readonly roles?: readonly Role[];
  readonly labels?: Labels;
  readonly capacityGib?: number;
  /** Default: {@link RECONCILE_INTERVAL_MS}. */
  readonly reconcileIntervalMs?: number;
  /** Default: a minute. */
  readonly callbackGiveUpMs?: number;
}

export interface TestNode {
  readonly name: string;
  readonly storage: MemoryStorage;
  readonly exporter: MemoryExporter;
  readonly log: LogLine[];
  /** `actions`: what is to happen at the failpoints of this life; `crash` ends it as SIGKILL does. */
  start(role: Role, actions?: FailpointActions): Promise<void>;
  /** Resolves when a failpoint has ended the role's life; it can be started again then. */
  crashed(role: Role): Promise<void>;
  /** Failpoints of whatever lives on the node, for a test that doesn't start anew for them. */
  readonly ambush: Omit<Ambush, 'failpoints'>;
  /** As SIGTERM does. */
  stop(role: Role): Promise<void>;
  /** As SIGKILL does: nothing is given up, no call comes through any more. */
  kill(role: Role): Promise<void>;
  /** The role's connection to etcd, which a test may hold up. */
  link(role: Role): PausableKv;
  readonly call: Call;
  /** The URL of its API. */
  readonly url: string;
}

export interface TestCluster extends AsyncDisposable {
  readonly kv: Kv;
  /** What joins the nodes, by `<name>.test`. */
  readonly world: MemoryWorld;
  node(name: string): TestNode;
  volume(id: string): Promise<Volume | undefined>;
  /** Waits until the volume satisfies; answers with it. */
  until(id: string, what: string, holds: (volume: Volume | undefined) => boolean): Promise<Volume>;
  /** Orders a volume through a node's API and waits until it is ready. */
  create(node: string, order?: object): Promise<Volume>;
  logged(node: string, event: string, since?: number): Promise<LogLine>;
}

/** Starts the nodes' roles on whatever is in the store. */
export async function startCluster(options: {
  readonly connect: () => Kv;
  readonly nodes: Readonly<Record<string, NodeOptions>>;
}): Promise<TestCluster> {
  const kv = options.connect();
  const world = createMemoryWorld({ clock });
  const nodes = new Map(
    Object.entries(options.nodes).map(([name, node]) => [
      name,
      createNode({ connect: options.connect, world }, name, node),
    ]),
  );
  await Promise.all(
    [...nodes].map(async ([name, node]) => {
      for (const role of options.nodes[name]?.roles ?? ROLES) await node.start(role);
    }),
  );
  const find = (name: string): TestNode => {
    const node = nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  };
  const read = async (id: string): Promise<Volume | undefined> => {
    const found = (await kv.get(volumeKey(id))).kv;
    return found === undefined ? undefined : (JSON.parse(found.value) as Volume);
  };
  const until: TestCluster['until'] = async (id, what, holds) => {
    let last: Volume | undefined;
    await waitFor({
      clock,
      what,
      timeoutMs: 10_000,
      intervalMs: 10,
      probe: async () => {
        last = await read(id);
        return holds(last) ? true : undefined;
      },
      describe: () => JSON.stringify(last),
    });
    return last as Volume;
  };
  return {
    kv,
    world,
    node: find,
    volume: read,
    until,
    create: async (name, order = {}) => {
      const body = { name: 'data', requested: { reserved_size: 1 }, ...order };
      const answer = await find(name).call('POST', '/volumes', body);
      if (answer.status !== 202)
        throw new Error(`POST /volumes: ${answer.status} ${JSON.stringify(answer.json)}`);
      return until(answer.json.id, 'the new volume to be ready', (volume) => volume?.state === 'ready');
    },
    logged: (name, event, since = 0) =>
      waitFor({
        clock,
        what: `node ${name} to log ${event}`,
        timeoutMs: 10_000,
        intervalMs: 10,
        probe: async () =>
          find(name)
            .log.slice(since)
            .find((line) => line.event === event),
        describe: () =>
          find(name)
            .log.slice(-5)
            .map((line) => JSON.stringify(line))
            .join('\n'),
      }),
    [Symbol.asyncDispose]: async () => {
      for (const node of nodes.values()) for (const role of ROLES) await node.stop(role);
      await kv.close();
    },
  };
}

export const eventually = (what: string, holds: () => boolean): Promise<true> =>
  waitFor({ clock, what, timeoutMs: 10_000, intervalMs: 10, probe: async () => holds() || undefined });

/** Resolves when the node's agent has listed its disk so many times more: it then has seen what there is to see. */
export async function passes(node: TestNode, count: number): Promise<void> {
  let seen = 0;
  const { list } = node.storage;
  node.storage.list = async () => {
    seen += 1;
    return list();
  };
  await eventually(`${count} comparisons`, () => seen >= count);
  node.storage.list = list;
}

/** Deletes every key of Cobalt's: as an etcd that was set up anew, but with its cluster id. */
export async function wipe(kv: Kv): Promise<void> {
  // etcd takes 128 writes in one transaction.
  for (let more = true; more; ) {
    const listed = await kv.list(ROOT, { limit: 100 });
    if (listed.kvs.length === 0) return;
    await kv.transact({ compare: [], writes: listed.kvs.map(({ key }) => ({ kind: 'delete', key })) });
    more = listed.more;
  }
}

/** Consumers are outside of the cluster: their callbacks are real servers. */
function notifier(
  ports: Omit<NotifierOptions, 'network' | 'giveUpMs'>,
  { callbackGiveUpMs = 60_000 }: NodeOptions,
) {
  const network = createHttpNetwork({ clock });
  return createNotifier({ ...ports, network, giveUpMs: callbackGiveUpMs, loopback: true });
}

interface Running {
  readonly link: PausableKv;
  readonly stop: () => Promise<void>;
  readonly url?: string;
}

function createNode(
  { connect, world }: { readonly connect: () => Kv; readonly world: MemoryWorld },
  name: string,
  options: NodeOptions,
): TestNode {
  const disk = createMemoryDisk({ totalBytes: 64 * 1024 ** 3 });
  const storage = createMemoryStorage({ clock, disk });
  const server = createMemoryNfsServer();
  const exporter = createMemoryExporter({ server, hasVolume: (id) => disk.subvolumes.has(id) });
  const lines: LogLine[] = [];
  const logOf = (role: Role) =>
    createLog({
      write: (line) => void lines.push(JSON.parse(line) as LogLine),
      nowMs: clock.nowMs,
      level: 'debug',
      fields: { node: name, role },
    });
  const running = new Map<Role, Running>();
  const ambush = createAmbush();
  const lives = new Map<Role, Life>();
  const url = (): string => running.get('api')?.url ?? '';

  const start = async (role: Role, actions: FailpointActions = {}): Promise<void> => {
    const life = createLife();
    const log = logOf(role);
    const link = pausable(connect());
    const kv = mortal(observeReachability(link, log), life);
    const network = world.connect(`${name}.test`);
    const stopping = new AbortController();
    const die = (): void => {
      life.end();
      running.delete(role);
      network.close();
      void link.close();
    };
    lives.set(role, life);
    const failpoints = ambush.failpoints({ clock, actions, die });
    const ports = { kv, clock: mortalClock(clock, life), random, log, node: name, failpoints };
    const leaseTtlSeconds = LEASE_TTL_SECONDS;
    let done: Promise<unknown>;
    let listening: string | undefined;
    if (role === 'api') {
      const { isReachable } = kv;
      const observe = createClusterObserver({ ...ports, kv: joinFirst({ kv, random }), isReachable });
      const metrics = createApiMetrics({ node: name, isReachable, observe });
      const context = createApiContext({ ...ports, metrics: metrics.render, loopbackCallbacks: true });
      const api = createServer({ context, routes: ROUTES, metrics });
      listening = await api.listen({ host: '127.0.0.1', port: 0 });
      done = new Promise((resolve) => stopping.signal.addEventListener('abort', resolve)).then(() =>
        api.close(),
      );
    } else {
      const facts = {
        node: name,
        address: `${name}.test`,
        agentUrl: `http://${name}.test:${AGENT_PORT}`,
        roles: options.roles ?? ROLES,
        labels: options.labels ?? {},
        capacityGib: options.capacityGib ?? 16,
        volumePath: '/srv/cobalt',
        virtual: true,
      };
      const agent = {
        storage: mortal(storage, life),
        exporter: mortal(exporter, life),
        network: mortal(network, life),
        listen: { host: `${name}.test`, port: AGENT_PORT },
        facts,
        reconcileIntervalMs: options.reconcileIntervalMs ?? RECONCILE_INTERVAL_MS,
        trashRetentionMs: 60_000,
      };
      const daemon =
        role === 'engine'
          ? createEngine({ ...ports, leaseTtlSeconds, whileLeading: notifier(ports, options) })
          : createAgent({ ...ports, ...agent, leaseTtlSeconds });
      done = joinWhenReachable({ ...ports, signal: stopping.signal })
        .then(() => daemon.run(stopping.signal))
        .catch((error: unknown) => log.error('role.crashed', { cause: error }));
    }
    const stop = async (): Promise<void> => {
      stopping.abort();
      await done;
      network.close();
      await link.close();
    };
    running.set(role, { link, stop, ...(listening === undefined ? {} : { url: listening }) });
  };
  const stop = async (role: Role): Promise<void> => {
    const found = running.get(role);
    running.delete(role);
    found?.link.resume();
    await found?.stop();
  };

  return {
    name,
    storage,
    exporter,
    log: lines,
    start,
    crashed: async (role) => lives.get(role)?.over,
    ambush,
    stop,
    kill: async (role) => {
      await running.get(role)?.link.close();
      await stop(role);
    },
    link: (role) => {
      const found = running.get(role);
      if (found === undefined) throw new Error(`the ${role} of ${name} does not run`);
      return found.link;
    },
    get url() {
      return url();
    },
    call: createCall(url),
  };
}
