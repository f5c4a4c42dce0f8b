// A node as a tree of processes: the daemon's own supervisor and what it starts, beside a
// disk and an NFS server that are only modelled, and are the rig's.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../base/clock.ts';
import { SYSTEM_PATH } from '../base/command.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { gibToBytes } from '../base/units.ts';
import type { NfsHost } from '../hardware/consumer.ts';
import { createDisk, type ModelledDisk } from '../hardware/disk.ts';
import type { Role } from '../model/volume.ts';
import { createMemoryNfsServer, killMemoryNfsServer, type MemoryNfsServer } from '../nfs/memory.ts';
import { nodeEnvironment } from '../rig/compose/node-environment.ts';
import type { Act, ContainerState } from '../rig/deployment.ts';
import { ROLE_SIGNALS, roleShows } from '../rig/faults/acts.ts';
import { etcdMembers, type Topology, type TopologyNode } from '../rig/topology.ts';
import { createMemoryDisk } from '../storage/memory.ts';
import { serveBackends } from './backends-server.ts';
import { beginLife, type Life } from './life.ts';
import { createMember, type Member } from './member.ts';
import { namesModule } from './names.ts';
import type { Place } from './place.ts';
import { commandLine, processOf, signal } from './processes.ts';

const SHOWS_WITHIN_MS = 15_000;

export interface ProcessNode extends AsyncDisposable {
  readonly name: string;
  readonly member: Member;
  readonly state: ContainerState;
  readonly storage: ModelledDisk;
  readonly nfs: MemoryNfsServer;
  /** Undefined while it does not run. */
  readonly host: NfsHost | undefined;
  /** The file by which its failpoints are switched. */
  readonly failpointsFile: string;
  /** Where its clock is told how far it is ahead; undefined where it has the machine's. */
  readonly clockFile: string | undefined;
  /** Processes of a role, frozen or not. */
  pidsOf(role: Role): readonly number[];
  act(act: Act, role?: Role): Promise<void>;
}

export interface NodeOptions {
  readonly topology: () => Topology;
  readonly node: TopologyNode;
  readonly runId: string;
  readonly clock: Clock;
  readonly place: Place;
  /** The daemon's entry. */
  readonly main: string;
  /** Where V8 keeps what it has compiled. */
  readonly cacheFolder: string;
  /** What sets wall clocks wrong; undefined where there is none. */
  readonly fakeTime: string | undefined;
}

export async function createProcessNode(options: NodeOptions): Promise<ProcessNode> {
  const { node, runId, clock } = options;
  const { name } = node;
  // As in the containers, the disk is a quarter larger than what may be reserved.
  const storage = createDisk(createMemoryDisk({ totalBytes: gibToBytes(node.capacityGib * 1.25) }));
  const nfs = createMemoryNfsServer();
  const files = filesOf(options);
  mkdirSync(files.disk, { recursive: true });
  if (files.clock !== undefined) writeFileSync(files.clock, '+0');
  const backends = await serveBackends({ clock, socketPath: files.backends, disk: storage, nfs });
  let life: Life | undefined;

  const onState = (state: ContainerState): void => {
    if (state === 'paused') life?.freeze();
    else if (state === 'running') life?.thaw();
    else {
      // With the node ends what it exports.
      life?.end();
      life = undefined;
      killMemoryNfsServer(nfs);
    }
  };
  const program = () => ({
    file: process.execPath,
    args: [options.main],
    environment: environmentOf(options, files),
  });
  const member = createMember({ name, runId, clock, program, onState });
  const begin = async (): Promise<void> => {
    writeFileSync(files.names, namesModule(namesFor(options)));
    storage.mount();
    nfs.up = true;
    life = beginLife(clock, name);
    await member.act('start');
  };
  const pidsOf = (role: Role): readonly number[] =>
    member.pids().filter((pid) => commandLine(pid).endsWith(` --role ${role}`));
  return {
    name,
    member,
    storage,
    nfs,
    get state() {
      return member.state;
    },
    get host() {
      return life && { storage, nfs, work: life.work };
    },
    failpointsFile: files.failpoints,
    clockFile: files.clock,
    pidsOf,
    act: async (act, role) => {
      if (role !== undefined) await actOnRole({ clock, name, pids: pidsOf(role) }, act, role);
      else if (act === 'start' && member.state !== 'running' && member.state !== 'paused') await begin();
      else await member.act(act);
    },
    [Symbol.asyncDispose]: () => backends[Symbol.asyncDispose](),
  };
}

/** Their names are numbers: the path of a socket has little room. */
function filesOf({ place, node, fakeTime }: NodeOptions) {
  const file = (kind: string): string => join(place.folder, `${place.numberOf(node.name)}.${kind}`);
  const hasOwnClock = node.clock === 'own' && fakeTime !== undefined;
  return {
    backends: file('sock'),
    names: file('mjs'),
    failpoints: file('failpoints'),
    disk: file('disk'),
    clock: hasOwnClock ? file('clock') : undefined,
  };
}

function environmentOf(options: NodeOptions, files: ReturnType<typeof filesOf>): Record<string, string> {
  const { topology, node, place, fakeTime } = options;
  const { ports } = place;
  const environment = nodeEnvironment(topology(), node);
  const own = place.addressOf(node.name);
  const endpoints = (environment.COBALT_ETCD_ENDPOINTS ?? '')
    .split(',')
    .map((url) => `http://${place.seenFrom(node.name, new URL(url).hostname)}:${ports.etcd}`);
  return {
    ...environment,
    PATH: SYSTEM_PATH,
    NODE_COMPILE_CACHE: options.cacheFolder,
    // What resolves the nodes' names.
    NODE_OPTIONS: `--import=${pathToFileURL(files.names).href}`,
    COBALT_ETCD_ENDPOINTS: endpoints.join(','),
    COBALT_API_HOST: own,
    COBALT_API_PORT: String(ports.api),
    COBALT_AGENT_HOST: own,
    COBALT_AGENT_PORT: String(ports.agent),
    COBALT_VOLUME_PATH: files.disk,
    COBALT_BACKENDS_SOCKET: files.backends,
    ...(topology().settings.failpointSwitches && { COBALT_FAILPOINTS_FILE: files.failpoints }),
    ...(files.clock !== undefined &&
      fakeTime !== undefined && {
        LD_PRELOAD: fakeTime,
        FAKETIME_TIMESTAMP_FILE: files.clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      }),
  };
}

/** Where this node reaches every node that there is or is to be, and every member of etcd. */
function namesFor({ topology, node, place }: NodeOptions): Record<string, string> {
  const names = [...topology().nodes.map(({ name }) => name), ...etcdMembers(topology())];
  return Object.fromEntries(names.map((name) => [name, place.seenFrom(node.name, name)]));
}

async function actOnRole(
  node: { readonly clock: Clock; readonly name: string; readonly pids: readonly number[] },
  act: Act,
  role: Role,
): Promise<void> {
  const { clock, name, pids } = node;
  const wanted = ROLE_SIGNALS[act];
  if (wanted === undefined) throw new RigError('unsupported', `a role cannot be hit with ${act}`);
  if (pids.length === 0) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${name}: no such process runs there`);
  }
  const hit = pids.filter((pid) => signal(pid, `SIG${wanted}` as NodeJS.Signals));
  if (hit.length === 0) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${name}: it ended by itself meanwhile`);
  }
  let states: readonly string[] = [];
  await waitFor({
    clock,
    what: `the ${role} of ${name} (pid ${pids.join(', ')}) to show ${act}`,
    timeoutMs: SHOWS_WITHIN_MS,
    intervalMs: 10,
    probe: async () => {
      // A dead one acts no more; only its parent has not asked yet.
      states = pids.flatMap((pid) => processOf(pid)?.state ?? []).filter((state) => state !== 'Z');
      return roleShows(act, states) ? true : undefined;
    },
    describe: () => `process states '${states.join(' ')}'`,
  });
}
