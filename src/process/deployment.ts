// A cluster of processes on this machine, as the rig handles it (rig/deployment.ts).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { performIo } from '../hardware/consumer.ts';
import { createModelledDisks } from '../hardware/disks.ts';
import { inventoryOf } from '../hardware/inventory.ts';
import { digestOf } from '../hardware/nfs.ts';
import { createWires } from '../hardware/wires.ts';
import { CONSUMER_PORT, parseIoRequest } from '../rig/consumer/protocol.ts';
import type { ContainerState, Deployment, HttpResponse } from '../rig/deployment.ts';
import { fetchHttp } from '../rig/http.ts';
import { linesOf } from '../rig/journal.ts';
import { logRecordsOf } from '../rig/log-lines.ts';
import { LOG_FILE } from '../rig/log-record.ts';
import {
  allMembers,
  etcdMembers,
  presentNodes,
  type Topology,
  type TopologyNode,
  withNode,
  withoutNode,
} from '../rig/topology.ts';
import { createClocks } from './clocks.ts';
import { wantedCores } from './cores-wanted.ts';
import { createEtcdMember, type EtcdMember } from './etcd-member.ts';
import { createFailpointSwitches } from './failpoint-switches.ts';
import type { Member } from './member.ts';
import { createMemory } from './memory.ts';
import { openNetwork } from './network.ts';
import { createProcessNode, type NodeOptions, type ProcessNode } from './node.ts';
import type { Place } from './place.ts';
import { createStore } from './store.ts';

export interface ProcessDeployOptions extends Pick<NodeOptions, 'main' | 'cacheFolder' | 'fakeTime'> {
  readonly topology: Topology;
  readonly runId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  /** etcd's program. */
  readonly etcdBinary: string;
  readonly absentAtStart: readonly string[];
  /** Ends whatever of the run is left, and what it has been given. */
  readonly onEnd: () => Promise<void>;
}

/** Resolves when every process was started (readiness is the caller's to await). Whoever calls ends them when it throws. */
export async function deployProcesses(options: ProcessDeployOptions): Promise<Deployment> {
  const { runId, clock, random, place, absentAtStart, fakeTime } = options;
  let topology = options.topology;
  const nodes = new Map<string, ProcessNode>();
  const etcd = new Map<string, EtcdMember>();
  /** Whoever was removed has left its logs. */
  const removed: ProcessNode[] = [];
  const ending = new AbortController();
  const wires = createWires({ time: timeline(clock), random, usual: 'real' });
  // In the order of the topology: so they are numbered.
  for (const member of allMembers(topology)) place.addressOf(member);

  const nodeOf = (name: string): ProcessNode => {
    const node = nodes.get(name);
    if (node === undefined) throw new RigError('not_found', `there is no node ${name}`);
    return node;
  };
  const memberOf = (name: string): Member => etcd.get(name)?.member ?? nodeOf(name).member;
  const stateOf = (name: string): ContainerState => {
    if (topology.consumers.includes(name)) return 'running';
    return etcd.get(name)?.member.state ?? nodes.get(name)?.state ?? 'absent';
  };
  const hasNetwork = (name: string): boolean => ['running', 'paused'].includes(stateOf(name));
  const requireRunning = (name: string): void => {
    const state = stateOf(name);
    if (state !== 'running') throw new RigError('conflict', `${name} is ${state}`);
  };
  const url = (member: string, port: number): string => `http://${place.addressOf(member)}:${port}`;
  const apiOf = (node: string): string => url(node, place.ports.api);

  for (const name of etcdMembers(topology)) {
    const members = etcdMembers(topology);
    const common = { runId, clock, place, binary: options.etcdBinary, onState: () => undefined };
    etcd.set(name, createEtcdMember({ ...common, name, members }));
  }
  const network = await openNetwork({
    clock,
    wires,
    place,
    etcd: etcdMembers(topology),
    pidOf: (member) => etcd.get(member)?.member.pid,
    hasNetwork,
  });
  const make = async (node: TopologyNode): Promise<void> => {
    await network.addNode(node.name);
    nodes.set(node.name, await createProcessNode({ ...options, topology: () => topology, node }));
  };
  // Relays to those that join later as well: names are told to a process when it starts.
  for (const { name } of topology.nodes) await network.addNode(name);
  for (const node of presentNodes(topology)) await make(node);
  const isPresent = (name: string): boolean => !absentAtStart.includes(name);
  await Promise.all([
    ...[...etcd].flatMap(([name, { member }]) => (isPresent(name) ? [member.act('start')] : [])),
    ...[...nodes].flatMap(([name, node]) => (isPresent(name) ? [node.act('start')] : [])),
  ]);

  const askConsumer = async (consumer: string, body: string): Promise<HttpResponse> => {
    const answer = await performIo(
      {
        clock,
        random,
        consumer,
        carry: wires.carry,
        address: place.addressOf(consumer),
        hostOf: (name) => nodes.get(name)?.host,
      },
      parseIoRequest(body),
    );
    return new Response(JSON.stringify(answer));
  };
  const consumerAt = (target: string): string | undefined =>
    topology.consumers.find((name) => target.startsWith(`${url(name, CONSUMER_PORT)}/`));

  const teardown = async (): Promise<void> => {
    ending.abort();
    await options.onEnd();
    await network[Symbol.asyncDispose]();
    for (const node of [...nodes.values(), ...removed]) await node[Symbol.asyncDispose]();
  };

  return {
    get topology() {
      return topology;
    },
    runId,
    digestOf,
    api: async (name) => {
      if (!hasNetwork(nodeOf(name).name)) throw new RigError('unavailable', `${name} does not run`);
      return apiOf(name);
    },
    etcd: async (only) => {
      const running = (only === undefined ? etcdMembers(topology) : [only]).filter(hasNetwork);
      if (running.length === 0) throw new RigError('unavailable', 'no member of etcd runs');
      return running.map((member) => url(member, place.ports.etcd));
    },
    consumer: async (name) => url(name, CONSUMER_PORT),
    fetch: (target, request) => {
      const consumer = consumerAt(target);
      return consumer === undefined ? fetchHttp(target, request) : askConsumer(consumer, request?.body ?? '');
    },
    address: async (member) => place.addressOf(member),
    state: async (member) => stateOf(member),
    incarnation: async (member) => `${member} ${memberOf(member).incarnation}`,
    act: async (act, member, { role } = {}) => {
      await (nodes.has(member) ? nodeOf(member).act(act, role) : memberOf(member).act(act));
    },
    hasRole: async (name, role) => {
      requireRunning(name);
      return nodeOf(name).pidsOf(role).length > 0;
    },
    inventory: async (name, { withCoresWanted = false } = {}) => {
      requireRunning(name);
      const node = nodeOf(name);
      return inventoryOf(node, withCoresWanted ? await wantedCores(node) : undefined);
    },
    exec: async (member) => {
      throw new RigError('unsupported', `${member} is a process: no command runs in it`);
    },
    logs: async (member) => memberOf(member).printed.join(''),
    saveLogs: async (folder) => {
      const members = [...etcd.values(), ...removed, ...nodes.values()].map(({ member }) => member);
      for (const [name, records] of logRecordsOf(members)) {
        await mkdir(join(folder, name), { recursive: true });
        await writeFile(join(folder, name, LOG_FILE), linesOf(records));
      }
    },
    addNode: async (node) => {
      if (nodes.has(node.name)) throw new RigError('conflict', `there is a node '${node.name}' already`);
      topology = withNode(topology, node);
      await make(node);
      await nodeOf(node.name).act('start');
    },
    removeNode: async (name) => {
      const node = nodeOf(name);
      if (hasNetwork(name)) await node.act('kill');
      nodes.delete(name);
      removed.push(node);
      topology = withoutNode(topology, name);
    },
    // There are no images here: a node is what it was.
    renew: async () => undefined,
    hasImage: async () => false,
    store: createStore({
      members: () => etcdMembers(topology),
      state: stateOf,
      url: (member) => url(member, place.ports.etcd),
      peerUrl: (member) => url(member, place.ports.etcdPeer),
      lose: async (member) => etcd.get(member)?.lose(),
    }),
    links: network.links,
    disks: createModelledDisks({ clock, nodes }),
    clocks: createClocks({ clock, signal: ending.signal, nodes, fakeTime, api: apiOf }),
    failpoints: createFailpointSwitches(nodes),
    memory: createMemory({ clock, random, memberOf }),
    metrics: async (node) => (await fetchHttp(`${apiOf(node)}/metrics`)).text(),
    keep: () => undefined,
    teardown,
    [Symbol.asyncDispose]: teardown,
  };
}

const timeline = (clock: Clock) => ({
  get nowMs() {
    return clock.monotonicMs();
  },
  after: clock.after,
});
