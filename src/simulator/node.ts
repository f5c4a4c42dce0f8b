// A simulated node: its disk and its NFS server, the daemon's own supervisor, and
// the roles' processes that this starts.

import { RigError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import { gibToBytes } from '../base/units.ts';
import { readSettings } from '../daemon/settings.ts';
import { supervise } from '../daemon/supervisor.ts';
import { createDisk, type ModelledDisk } from '../hardware/disk.ts';
import { someMs } from '../hardware/wires.ts';
import type { Role } from '../model/volume.ts';
import { createMemoryNfsServer, killMemoryNfsServer, type MemoryNfsServer } from '../nfs/memory.ts';
import { nodeEnvironment } from '../rig/compose/node-environment.ts';
import type { Act, ContainerState } from '../rig/deployment.ts';
import { CONTAINER_ACTS } from '../rig/faults/acts.ts';
import type { Topology, TopologyNode } from '../rig/topology.ts';
import { createMemoryDisk } from '../storage/memory.ts';
import { createProcess, type Process } from './process.ts';
import { createRoleProcesses, type RoleProcesses, type SimulatedApi } from './role-processes.ts';
import type { Switches } from './switches.ts';
import type { World } from './world.ts';

/** From the start of a container until its supervisor runs. */
const BOOT_MS = { least: 500, most: 1_500 };
/** As long as Compose gives a node to stop. */
const STOP_MS = 10_000;

export interface SimulatedNode {
  readonly name: string;
  readonly storage: ModelledDisk;
  readonly nfs: MemoryNfsServer;
  /** Its supervisor, and its NFS server. Undefined while it does not run. */
  readonly host: Process | undefined;
  readonly state: ContainerState;
  /** Counts its starts. */
  readonly incarnation: number;
  /** Undefined while it doesn't listen. */
  readonly api: SimulatedApi | undefined;
  /** What its container printed, as `docker logs --timestamps` gives it. */
  readonly printed: readonly string[];
  /** Those that have a process. */
  roles(): readonly Role[];
  /** Of that role, or of all. */
  processes(role?: Role): readonly Process[];
  /** Resolves once the effect shows. Throws `conflict` where it can't be done now. */
  act(act: Act, role?: Role): Promise<void>;
}

export interface NodeOptions {
  readonly world: World;
  readonly topology: Topology;
  readonly node: TopologyNode;
  readonly switches: Switches;
}

export function createNode({ world, topology, node, switches }: NodeOptions): SimulatedNode {
  const { name } = node;
  const random = world.random();
  const settings = readSettings(nodeEnvironment(topology, node));
  // As in the containers, the disk is a quarter larger than what may be reserved.
  const storage = createDisk(createMemoryDisk({ totalBytes: gibToBytes(node.capacityGib * 1.25) }));
  const nfs = createMemoryNfsServer();
  const printed: string[] = [];
  const print = (line: string): void => {
    printed.push(`${new Date(world.rig.clock.nowMs()).toISOString()} ${line}`);
  };
  const processes = createRoleProcesses({ world, node: name, settings, storage, nfs, switches, print });
  let state: ContainerState = 'created';
  let incarnation = 0;
  let host: Process | undefined;
  let stopping = new AbortController();

  const start = (): void => {
    const process = createProcess(world.queue, () => switches.aheadMs(name));
    const stop = new AbortController();
    host = process;
    stopping = stop;
    state = 'running';
    incarnation += 1;
    nfs.up = true;
    storage.mount();
    const { clock } = process;
    clock.after(someMs(BOOT_MS.least, BOOT_MS.most, random), () => {
      const fields = { node: name, role: 'supervisor' };
      const log = createLog({ write: print, nowMs: clock.nowMs, level: settings.logLevel, fields });
      const { roles, restart } = settings;
      const startRole = (role: Role) => processes.start(process, role);
      const ended = supervise({ clock, random, log, roles, restart, start: startRole }, stop.signal);
      // In its own next moment: what it has to do besides is done by then.
      void ended.then(() => clock.after(0, end));
    });
  };
  /** Every process ends at once, and with the NFS server what it exports. */
  const end = (): void => {
    state = 'exited';
    processes.endAll();
    host?.end();
    host = undefined;
    killMemoryNfsServer(nfs);
  };
  const everyProcess = (): readonly Process[] => [
    ...(host === undefined ? [] : [host]),
    ...[...processes.running.values()].map(({ process }) => process),
  ];
  const freeze = (wanted: boolean): void => {
    state = wanted ? 'paused' : 'running';
    for (const process of everyProcess()) {
      if (wanted) process.freeze();
      else process.thaw();
    }
  };
  const terminate = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = world.queue.after(STOP_MS, end);
      host?.onEnd(() => {
        cancel();
        resolve();
      });
      // Docker thaws what it stops.
      if (state === 'paused') freeze(false);
      host?.enter(() => stopping.abort());
      // A supervisor that has yet to begin has nobody to wait for.
      if (processes.running.size === 0) world.queue.after(1, end);
    });

  const actOnNode = async (act: Act): Promise<void> => {
    if (CONTAINER_ACTS[act].refusedIn.includes(state)) {
      throw new RigError('conflict', `cannot ${act} ${name}: it is ${state}`);
    }
    if (act === 'start') start();
    else if (act === 'kill') end();
    else if (act === 'stop') await terminate();
    else freeze(act === 'pause');
  };

  return {
    name,
    storage,
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
      return processes.api();
    },
    roles: () => [...processes.running.keys()],
    processes: (role) =>
      [...processes.running]
        .filter(([each]) => role === undefined || role === each)
        .map(([, { process }]) => process),
    act: (act, role) =>
      role === undefined ? actOnNode(act) : actOnRole(processes, act, { node: name, role }),
  };
}

async function actOnRole(
  { running }: RoleProcesses,
  act: Act,
  { node, role }: { readonly node: string; readonly role: Role },
): Promise<void> {
  const found = running.get(role);
  if (found === undefined) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${node}: no such process runs there`);
  }
  const { process } = found;
  if (act === 'pause') process.freeze();
  else if (act === 'resume') process.thaw();
  else if (act === 'kill') found.kill();
  else if (act === 'start') throw new RigError('unsupported', `a role cannot be hit with ${act}`);
  else {
    const ended = new Promise<void>((resolve) => void process.onEnd(resolve));
    found.terminate();
    await ended;
  }
}
