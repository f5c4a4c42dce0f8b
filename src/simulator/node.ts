// A simulated node: its disk and its NFS server, the daemon's own supervisor, and
// the roles' processes that this starts.

import { RigError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { gibToBytes } from '../base/units.ts';
import type { ApiContext } from '../daemon/api/route.ts';
import type { RoleExit, RoleProcess } from '../daemon/role-process.ts';
import { readSettings, type Settings } from '../daemon/settings.ts';
import { supervise } from '../daemon/supervisor.ts';
import type { Role } from '../model/volume.ts';
import {
  createMemoryExporter,
  createMemoryNfsServer,
  killMemoryNfsServer,
  type MemoryNfsServer,
} from '../nfs/memory.ts';
import { nodeEnvironment } from '../rig/compose/node-environment.ts';
import type { Act, ContainerState } from '../rig/deployment.ts';
import { CONTAINER_ACTS } from '../rig/faults/acts.ts';
import type { Topology, TopologyNode } from '../rig/topology.ts';
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from '../storage/memory.ts';
import { slowed } from './backends.ts';
import { createSimulatedKv } from './kv.ts';
import { createProcess, type Process } from './process.ts';
import { runRole } from './role.ts';
import { someMs } from './wires.ts';
import type { World } from './world.ts';

/** From the start of a container until its supervisor runs, and of a role's process until it has loaded its code. */
const BOOT_MS = { least: 500, most: 1_500 };
const LOAD_MS = { least: 500, most: 1_500 };
/** As long as daemon/main.ts gives a role to end in peace, and Compose a node. */
const ROLE_STOP_MS = 4_000;
const STOP_MS = 10_000;

export interface SimulatedApi {
  readonly process: Process;
  readonly context: ApiContext;
}

export interface SimulatedNode {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly nfs: MemoryNfsServer;
  /** The host's kernel and its NFS server. Undefined while it does not run. */
  readonly host: Process | undefined;
  readonly state: ContainerState;
  readonly incarnation: number;
  /** Undefined while it doesn't listen. */
  readonly api: SimulatedApi | undefined;
  /** What its container printed, as `docker logs --timestamps` gives it. */
  readonly printed: readonly string[];
  hasRole(role: Role): boolean;
  /** Resolves once the effect shows. Throws `conflict` where it can't be done now. */
  act(act: Act, role?: Role): Promise<void>;
}

interface Running {
  readonly process: Process;
  readonly terminate: () => void;
  readonly kill: () => void;
}

export function createNode(world: World, topology: Topology, node: TopologyNode): SimulatedNode {
  const { name } = node;
  const random = world.random();
  const settings = readSettings(nodeEnvironment(topology, node));
  // As in the containers, the disk is a quarter larger than what may be reserved.
  const disk = createMemoryDisk({ totalBytes: gibToBytes(node.capacityGib * 1.25) });
  const nfs = createMemoryNfsServer();
  const printed: string[] = [];
  const print = (line: string): void => {
    printed.push(`${new Date(world.rig.clock.nowMs()).toISOString()} ${line}`);
  };
  const roles = new Map<Role, Running>();
  let state: ContainerState = 'created';
  let incarnation = 0;
  let host: Process | undefined;
  let stop: AbortController | undefined;
  let api: SimulatedApi | undefined;
  let pids = 1;

  const start = (): void => {
    const process = createProcess(world.queue);
    const stopping = new AbortController();
    host = process;
    stop = stopping;
    state = 'running';
    incarnation += 1;
    pids = 1;
    nfs.up = true;
    const { clock } = process;
    clock.after(someMs(BOOT_MS.least, BOOT_MS.most, random), () => {
      const fields = { node: name, role: 'supervisor' };
      const log = createLog({ write: print, nowMs: clock.nowMs, level: settings.logLevel, fields });
      const { roles: wanted, restart } = settings;
      const supervised = supervise(
        { clock, random, log, roles: wanted, restart, start: (role) => startRole(process, role) },
        stopping.signal,
      );
      void supervised.then(() => {
        if (host === process) end();
      });
    });
  };

  const startRole = (parent: Process, role: Role): RoleProcess => {
    const process = createProcess(world.queue);
    const exited = Promise.withResolvers<RoleExit>();
    const stopping = new AbortController();
    pids += 1;
    const over = (exit: RoleExit): void => {
      if (process.isOver) return;
      process.end();
      if (roles.get(role)?.process === process) roles.delete(role);
      parent.clock.after(1, () => exited.resolve(exit));
    };
    const kill = (): void => over({ code: null, signal: 'SIGKILL' });
    const terminate = (): void =>
      process.enter(() => {
        stopping.abort();
        process.clock.after(ROLE_STOP_MS, () => over({ code: 1, signal: null }));
      });
    roles.set(role, { process, terminate, kill });
    process.clock.after(someMs(LOAD_MS.least, LOAD_MS.most, random), () => {
      const ended = runRole(
        role,
        partsOf(
          { world, node, topology, settings, process, disk, nfs },
          {
            print,
            random: world.random(),
            die: kill,
            stopping: stopping.signal,
            onApi: (context) => {
              const mine = { process, context };
              api = mine;
              return () => {
                if (api === mine) api = undefined;
              };
            },
          },
        ),
      );
      void ended.then((code) => over({ code, signal: null }));
    });
    process.onEnd(() => {
      if (api?.process === process) api = undefined;
    });
    return {
      pid: pids,
      exited: exited.promise,
      signal: (signal) => (signal === 'SIGKILL' ? kill() : terminate()),
    };
  };

  /** Every process ends at once, and with the NFS server what it exports. */
  const end = (): void => {
    state = 'exited';
    for (const { process } of roles.values()) process.end();
    roles.clear();
    host?.end();
    host = undefined;
    api = undefined;
    killMemoryNfsServer(nfs);
  };
  const everyProcess = (): readonly Process[] => [
    ...(host === undefined ? [] : [host]),
    ...[...roles.values()].map(({ process }) => process),
  ];

  const actOnNode = async (act: Act): Promise<void> => {
    if (CONTAINER_ACTS[act].refusedIn.includes(state)) {
      throw new RigError('conflict', `cannot ${act} ${name}: it is ${state}`);
    }
    if (act === 'start') start();
    else if (act === 'kill') end();
    else if (act === 'stop') await terminate();
    else {
      state = act === 'pause' ? 'paused' : 'running';
      for (const process of everyProcess())
        if (act === 'pause') process.freeze();
        else process.thaw();
    }
  };
  const terminate = (): Promise<void> =>
    new Promise((resolve) => {
      const ending = host;
      // Docker thaws what it stops.
      for (const process of everyProcess()) process.thaw();
      const cancel = world.queue.after(STOP_MS, end);
      ending?.onEnd(() => {
        cancel();
        resolve();
      });
      ending?.enter(() => stop?.abort());
      // A supervisor that has yet to start has nobody to wait for.
      if (roles.size === 0) world.queue.after(1, () => host === ending && end());
    });
  const actOnRole = async (act: Act, role: Role): Promise<void> => {
    const running = roles.get(role);
    if (running === undefined) {
      throw new RigError('conflict', `cannot ${act} the ${role} of ${name}: no such process runs there`);
    }
    if (act === 'pause') running.process.freeze();
    else if (act === 'resume') running.process.thaw();
    else if (act === 'kill') running.kill();
    else if (act === 'stop') {
      running.terminate();
      await new Promise<void>((resolve) => running.process.onEnd(resolve));
    } else throw new RigError('unsupported', `a role cannot be hit with ${act}`);
  };

  return {
    name,
    disk,
    nfs,
    printed,
    get host() {
      return host;
    },
    get state() {
      return state;
    },
    get incarnation() {
      return incarnation;
    },
    get api() {
      return api;
    },
    hasRole: (role) => roles.has(role),
    act: (act, role) => (role === undefined ? actOnNode(act) : actOnRole(act, role)),
  };
}

/** What a role's process is given of its node. */
function partsOf(
  of: {
    readonly world: World;
    readonly node: TopologyNode;
    readonly topology: Topology;
    readonly settings: Settings;
    readonly process: Process;
    readonly disk: MemoryDisk;
    readonly nfs: MemoryNfsServer;
  },
  rest: Pick<Parameters<typeof runRole>[1], 'print' | 'random' | 'die' | 'stopping' | 'onApi'>,
): Parameters<typeof runRole>[1] {
  const { world, node, settings, process, disk, nfs } = of;
  const { etcd, wires } = world;
  const { clock } = process;
  const random: Random = world.random();
  const members = settings.etcdEndpoints.map((endpoint) => new URL(endpoint).hostname);
  const network = world.agents.connect(node.name);
  process.onEnd(network.close);
  return {
    ...rest,
    process,
    settings,
    kv: createSimulatedKv({ process, host: node.name, members, etcd, wires }),
    network,
    backends: () => ({
      storage: createMemoryStorage({ clock, disk, latencyMs: () => someMs(1, 20, random) }),
      exporter: slowed(createMemoryExporter({ server: nfs, hasVolume: (id) => disk.subvolumes.has(id) }), {
        clock,
        latencyMs: () => someMs(1, 20, random),
      }),
    }),
    failpoints: () => settings.failpoints,
  };
}
