// A simulated cluster as the rig handles it (rig/deployment.ts).

import { RigError } from '../base/errors.ts';
import { inventoryOf } from '../hardware/inventory.ts';
import { createModelledLinks } from '../hardware/links.ts';
import { digestOf } from '../hardware/nfs.ts';
import { someMs } from '../hardware/wires.ts';
import { API_PORT, ETCD_PORT } from '../rig/compose/node-environment.ts';
import { CONSUMER_PORT } from '../rig/consumer/protocol.ts';
import type { Act, ContainerState, Deployment } from '../rig/deployment.ts';
import { CONTAINER_ACTS } from '../rig/faults/acts.ts';
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
import { momentToDie } from './aim.ts';
import { createHardware } from './hardware.ts';
import { fetchSimulated } from './http.ts';
import { createNode, type SimulatedNode } from './node.ts';
import { createSimulatedStore } from './store.ts';
import type { World } from './world.ts';

/** Until whoever did something to a member has seen what came of it. */
const LOOK_MS = { least: 100, most: 400 };
/** Until what was ordered is done: a command that is run in a container. */
const COMMAND_MS = { least: 50, most: 150 };

export interface SimulatedOptions {
  readonly world: World;
  readonly topology: Topology;
  readonly runId: string;
  readonly absentAtStart: readonly string[];
  /** Writes a file, synchronously: nothing waits for anything real in simulated time. */
  readonly writeFile: (folder: string, name: string, text: string) => void;
}

/** Everything is started; readiness is the caller's to await. */
export function deploySimulated(options: SimulatedOptions): Deployment {
  const { world, absentAtStart } = options;
  const { etcd, rig } = world;
  let topology = options.topology;
  const nodes = new Map<string, SimulatedNode>();
  /** Whoever was removed has left its logs. */
  const removed: SimulatedNode[] = [];
  const random = world.random();
  const { switches, parts } = createHardware({
    world,
    random: world.random(),
    nodes,
  });
  for (const member of allMembers(topology)) world.addressOf(member);

  const nodeOf = (name: string): SimulatedNode => {
    const node = nodes.get(name);
    if (node === undefined) throw new RigError('not_found', `there is no node ${name}`);
    return node;
  };
  const stateOf = (member: string): ContainerState => {
    if (topology.consumers.includes(member)) return 'running';
    return etcd.members.get(member)?.state ?? nodes.get(member)?.state ?? 'absent';
  };
  const hasNetwork = (member: string): boolean => ['running', 'paused'].includes(stateOf(member));
  const requireRunning = (member: string): void => {
    const state = stateOf(member);
    if (state !== 'running') throw new RigError('conflict', `${member} is ${state}`);
  };
  const actOnEtcd = async (act: Act, member: string): Promise<void> => {
    const state = stateOf(member);
    if (CONTAINER_ACTS[act].refusedIn.includes(state)) {
      throw new RigError('conflict', `cannot ${act} ${member}: it is ${state}`);
    }
    etcd.act(act, member);
  };
  const make = (node: TopologyNode): void => {
    nodes.set(node.name, createNode({ world, topology, node, switches }));
  };
  for (const node of presentNodes(topology)) make(node);
  for (const member of etcdMembers(topology)) if (!absentAtStart.includes(member)) etcd.act('start', member);
  for (const node of nodes.values()) if (!absentAtStart.includes(node.name)) void node.act('start');

  const logRecords = () => logRecordsOf([...removed, ...nodes.values()]);
  const teardown = async (): Promise<void> => undefined;
  const url = (member: string, port: number): string => `http://${member}:${port}`;
  const fetched: Deployment['fetch'] = (target, request) =>
    fetchSimulated({ world, random, nodes }, target, request);
  return {
    get topology() {
      return topology;
    },
    runId: options.runId,
    api: async (name) => {
      if (!hasNetwork(nodeOf(name).name)) throw new RigError('unavailable', `${name} publishes no port`);
      return url(name, API_PORT);
    },
    etcd: async (only) => {
      const members = (only === undefined ? etcdMembers(topology) : [only]).filter(hasNetwork);
      if (members.length === 0) throw new RigError('unavailable', 'no member of etcd publishes a port');
      return members.map((member) => url(member, ETCD_PORT));
    },
    consumer: async (name) => url(name, CONSUMER_PORT),
    fetch: fetched,
    address: async (member) => world.addressOf(member),
    state: async (member) => stateOf(member),
    incarnation: async (member) =>
      `${member} ${etcd.members.get(member)?.incarnation ?? nodeOf(member).incarnation}`,
    act: async (act, member, { role } = {}) => {
      await rig.clock.sleep(someMs(COMMAND_MS.least, COMMAND_MS.most, random));
      const node = nodes.get(member);
      if (node !== undefined && act === 'kill')
        await momentToDie({ clock: rig.clock, random, processes: node.processes(role) });
      await (node === undefined ? actOnEtcd(act, member) : node.act(act, role));
      await rig.clock.sleep(someMs(LOOK_MS.least, LOOK_MS.most, random));
    },
    hasRole: async (name, role) => {
      requireRunning(name);
      return nodeOf(name).roles().includes(role);
    },
    inventory: async (name) => {
      await rig.clock.sleep(someMs(LOOK_MS.least, LOOK_MS.most, random));
      requireRunning(name);
      const node = nodeOf(name);
      // Nothing that a role does takes any time here, and one that didn't wait would let none pass.
      return inventoryOf(node, Object.fromEntries(node.roles().map((role) => [role, 0])));
    },
    exec: async (member) => {
      throw new RigError('unsupported', `${member} is simulated: no command runs there`);
    },
    digestOf,
    logs: async (member) => (nodes.get(member)?.printed ?? []).join(''),
    saveLogs: async (folder) => {
      for (const [name, records] of logRecords())
        options.writeFile(`${folder}/${name}`, LOG_FILE, linesOf(records));
    },
    logRecords,
    addNode: async (node) => {
      if (nodes.has(node.name)) throw new RigError('conflict', `there is a node '${node.name}' already`);
      topology = withNode(topology, node);
      make(node);
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
    store: createSimulatedStore(world),
    links: createModelledLinks({ wires: world.wires, clock: rig.clock, hasNetwork }),
    ...parts,
    metrics: async (name) => (await fetched(`${url(nodeOf(name).name, API_PORT)}/metrics`)).text(),
    keep: () => undefined,
    teardown,
    [Symbol.asyncDispose]: teardown,
  };
}
