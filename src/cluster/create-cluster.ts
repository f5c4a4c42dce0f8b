// The handle of a deployment that is up.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Kv } from '../kv/kv.ts';
import type { Act } from '../rig/deployment.ts';
import { toLogRecords } from '../rig/log-lines.ts';
import { mergedLogs } from '../rig/log-view.ts';
import { actOnRecord } from '../rig/site.ts';
import type { Stage } from '../rig/stage.ts';
import { etcdMembers, parseTopology, presentNodes, type TopologyInput } from '../rig/topology.ts';
import type { Cluster, OnRole } from './cluster.ts';
import { createConsumerClient } from './consumer.ts';
import { eventually } from './eventually.ts';
import { createInjection } from './injection.ts';
import type { Conduct } from './mode.ts';
import { createNodeApi } from './node-api.ts';
import { awaitAgreement } from './readiness.ts';

export interface ClusterParts {
  readonly stage: Stage;
  readonly mode: string;
  readonly seed: number;
  readonly folder: string;
  /** In which all that takes time is done. */
  readonly conduct: Conduct;
  readonly openKv: (endpoints: readonly string[]) => Kv;
  readonly teardown: () => Promise<void>;
}

export function createCluster({
  stage,
  mode,
  seed,
  folder,
  conduct,
  openKv,
  teardown,
}: ClusterParts): Cluster {
  const { deployment, clients, clock } = stage;
  const injection = createInjection(stage);
  const timed = timeOf(clock, conduct);
  const act = (what: Act, member: string, on?: OnRole): Promise<void> =>
    conduct(() => actOnRecord(stage, what, member, on));

  const someApi = async (): Promise<string> => {
    for (const { name, roles } of presentNodes(deployment.topology)) {
      if (roles.includes('api') && (await deployment.state(name)) === 'running') return name;
    }
    throw new RigError('unavailable', 'no node that has an API runs');
  };
  const nodeApi = (node?: string) =>
    createNodeApi({
      clients: { ...clients, http: (call) => conduct(() => clients.http(call)) },
      node: node === undefined ? () => conduct(someApi) : async () => requireNode(node),
      url: (name) => conduct(() => deployment.api(name)),
      address: (consumer) => conduct(() => deployment.address(consumer)),
      timed,
    });
  const requireNode = (name: string): string => {
    if (deployment.topology.nodes.some((node) => node.name === name)) return name;
    throw new RigError('not_found', `the cluster has no node '${name}'`);
  };

  const withKv = <T>(look: (kv: Kv) => Promise<T>): Promise<T> =>
    conduct(async () => {
      const kv = openKv(await deployment.etcd());
      try {
        return await look(kv);
      } finally {
        await kv.close();
      }
    });

  return {
    mode,
    seed,
    folder,
    get topology() {
      return deployment.topology;
    },
    ...timed,
    addNode: (node) => conduct(() => join(stage, node)),
    removeNode: (name) =>
      conduct(async () => {
        if ((await deployment.state(requireNode(name))) === 'running') await actOnRecord(stage, 'kill', name);
        await deployment.removeNode(name);
      }),
    kill: (member, on) => act('kill', member, on),
    stop: (member, on) => act('stop', member, on),
    start: (member) => act('start', member),
    restart: async (member) => {
      await act('stop', member);
      await act('start', member);
    },
    pause: (member, on) => act('pause', member, on),
    resume: (member, on) => act('resume', member, on),
    inject: (fault) => conducted(conduct, () => injection.inject(fault)),
    partition: (...members) =>
      conducted(conduct, () => injection.inject({ fault: 'partition', shape: 'isolate', on: members })),
    heal: () => conduct(injection.healAll),
    exec: (member, command) => conduct(() => deployment.exec(member, command)),
    logs: (...members) => conduct(() => logsOf(stage, members)),
    api: nodeApi,
    etcd: {
      endpoints: () => conduct(() => deployment.etcd()),
      get: (key) => withKv(async (kv) => (await kv.get(key)).kv?.value),
      list: (prefix) =>
        withKv(async (kv) => new Map((await kv.list(prefix)).kvs.map(({ key, value }) => [key, value]))),
    },
    consumer: (name) => {
      if (!deployment.topology.consumers.includes(name)) {
        throw new RigError('not_found', `the cluster has no consumer '${name}'`);
      }
      return createConsumerClient({
        name,
        clients: { ...clients, file: (call) => conduct(() => clients.file(call)) },
        address: () => conduct(() => deployment.address(name)),
        api: nodeApi(),
      });
    },
    metrics: (node) => conduct(() => deployment.metrics(node)),
    waitFor: (options) => conduct(() => awaitAgreement(stage, options)),
    eventually: (look, options) => eventually(look, { ...options, on: timed }),
    teardown,
    [Symbol.asyncDispose]: teardown,
  };
}

function timeOf(clock: Clock, conduct: Conduct): Pick<Cluster, 'now' | 'sleep'> {
  // The wall clock's beginning, and the monotonic clock's pace: it never goes back.
  const beganMs = clock.nowMs() - clock.monotonicMs();
  return { now: () => beganMs + clock.monotonicMs(), sleep: (ms) => conduct(() => clock.sleep(ms)) };
}

/** What comes of it takes time to heal, too. */
async function conducted(
  conduct: Conduct,
  inject: () => ReturnType<Cluster['inject']>,
): ReturnType<Cluster['inject']> {
  const injected = await conduct(inject);
  const heal = (): Promise<void> => conduct(injected.heal);
  return { ...injected, heal, [Symbol.asyncDispose]: heal };
}

async function join(
  { deployment, journal }: Stage,
  node: string | TopologyInput['nodes'][number],
): Promise<void> {
  const planned = deployment.topology.nodes.find(({ name }) => name === node);
  const input = typeof node === 'string' ? { name: node } : node;
  const [parsed] = parseTopology({ nodes: [input] }, 'the node').nodes;
  if (parsed === undefined) throw new RigError('internal', 'a topology of one node has none');
  const added = planned ?? parsed;
  const taken = [...etcdMembers(deployment.topology), ...deployment.topology.consumers];
  if (taken.includes(added.name)) throw new RigError('conflict', `there is a member '${added.name}' already`);
  const hit = { type: 'fault', fault: 'start', container: added.name } as const;
  journal.record({ ...hit, phase: 'inject' });
  await deployment.addNode(added);
  journal.record({ ...hit, phase: 'injected' });
}

async function logsOf({ deployment }: Stage, members: readonly string[]) {
  const { topology } = deployment;
  const all = [
    ...etcdMembers(topology),
    ...presentNodes(topology).map(({ name }) => name),
    ...topology.consumers,
  ];
  const wanted = members.length === 0 ? all : members;
  const unknown = wanted.find((member) => !all.includes(member));
  if (unknown !== undefined) throw new RigError('not_found', `the cluster has no member '${unknown}'`);
  const texts = await Promise.all(
    wanted.map(async (member) => [member, await deployment.logs(member)] as const),
  );
  return mergedLogs(new Map(texts.map(([member, text]) => [member, toLogRecords(member, text)])));
}
