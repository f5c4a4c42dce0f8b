// The roles' processes of one simulated node, as its supervisor starts them.

import { type FailpointActions, parseFailpoints } from '../base/failpoints.ts';
import type { Random } from '../base/random.ts';
import type { ApiContext } from '../daemon/api/route.ts';
import type { RoleExit, RoleProcess } from '../daemon/role-process.ts';
import type { Settings } from '../daemon/settings.ts';
import type { ModelledDisk } from '../hardware/disk.ts';
import { someMs } from '../hardware/wires.ts';
import type { Role } from '../model/volume.ts';
import { createMemoryExporter, type MemoryNfsServer } from '../nfs/memory.ts';
import { createMemoryStorage } from '../storage/memory.ts';
import { isReading } from '../storage/memory-perform.ts';
import { slowed } from './backends.ts';
import { createSimulatedKv } from './kv.ts';
import { createProcess, type Process } from './process.ts';
import { repeating } from './repeats.ts';
import { type RoleOptions, runRole } from './role.ts';
import type { Switches } from './switches.ts';
import type { World } from './world.ts';

/** Until a process has loaded its code. */
const LOAD_MS = { least: 500, most: 1_500 };
/** As long as daemon/main.ts gives a role to end in peace. */
const STOP_MS = 4_000;
/** A call of a sound disk or NFS server. */
const BACKEND_MS = { least: 1, most: 20 };
/** What such a call reads and writes, where that takes long. */
const BACKEND_BYTES = 64 * 1024;

export interface SimulatedApi {
  readonly process: Process;
  readonly context: ApiContext;
}

export interface RoleProcessesOptions {
  readonly world: World;
  readonly node: string;
  readonly settings: Settings;
  readonly storage: ModelledDisk;
  readonly nfs: MemoryNfsServer;
  readonly switches: Switches;
  /** Takes lines of the log. */
  readonly print: (line: string) => void;
}

export interface Running {
  readonly process: Process;
  /** As SIGTERM does, and as SIGKILL does. */
  readonly terminate: () => void;
  readonly kill: () => void;
}

export interface RoleProcesses {
  readonly running: ReadonlyMap<Role, Running>;
  /** Undefined while it doesn't listen. */
  api(): SimulatedApi | undefined;
  /** `parent` is told of its end. */
  start(parent: Process, role: Role): RoleProcess;
  /** Nobody is told: their parent ends with them. */
  endAll(): void;
}

export function createRoleProcesses(options: RoleProcessesOptions): RoleProcesses {
  const { world, node, switches } = options;
  const random = world.random();
  const running = new Map<Role, Running>();
  let api: SimulatedApi | undefined;
  let pids = 1;

  const start: RoleProcesses['start'] = (parent, role) => {
    const process = createProcess(world.queue, () => switches.aheadMs(node));
    const exited = Promise.withResolvers<RoleExit>();
    const stopping = new AbortController();
    pids += 1;
    const over = (exit: RoleExit): void => {
      if (process.isOver) return;
      process.end();
      if (running.get(role)?.process === process) running.delete(role);
      parent.clock.after(1, () => exited.resolve(exit));
    };
    const kill = (): void => over({ code: null, signal: 'SIGKILL' });
    const terminate = (): void =>
      process.enter(() => {
        stopping.abort();
        process.clock.after(STOP_MS, () => over({ code: 1, signal: null }));
      });
    const onApi = (context: ApiContext): (() => void) => {
      const mine = { process, context };
      api = mine;
      return () => {
        if (api === mine) api = undefined;
      };
    };
    running.set(role, { process, terminate, kill });
    // What Node.js prints, and then ends by.
    process.onCrash = (reason) => {
      options.print(`Uncaught ${String(reason)}\nNode.js, simulated\n`);
      over({ code: 1, signal: null });
    };
    process.onEnd(() => {
      if (api?.process === process) api = undefined;
    });
    process.clock.after(someMs(LOAD_MS.least, LOAD_MS.most, random), () => {
      const ended = runRole(role, {
        ...portsOf(options, process),
        random: world.random(),
        die: kill,
        stopping: stopping.signal,
        onApi,
      });
      void ended.then((code) => over({ code, signal: null }));
    });
    return {
      pid: pids,
      exited: exited.promise,
      signal: (signal) => (signal === 'SIGKILL' ? kill() : terminate()),
    };
  };
  return {
    running,
    api: () => api,
    start,
    endAll: () => {
      for (const { process } of running.values()) process.end();
      running.clear();
    },
  };
}

/** What a process is given of its node and of the world. */
function portsOf(
  { world, node, settings, storage, nfs, switches, print }: RoleProcessesOptions,
  process: Process,
): Omit<RoleOptions, 'random' | 'die' | 'stopping' | 'onApi'> {
  const { etcd, wires } = world;
  const { clock } = process;
  const { disk } = storage;
  const random: Random = world.random();
  const members = settings.etcdEndpoints.map((endpoint) => new URL(endpoint).hostname);
  const own = world.agents.connect(node);
  process.onEnd(own.close);
  const network = repeating(own, {
    queue: world.queue,
    random: world.random(),
    wire: world.agents.connect(node),
  });
  const latencyMs = (): number =>
    someMs(BACKEND_MS.least, BACKEND_MS.most, random) + storage.bytesMs(BACKEND_BYTES);
  const exporter = createMemoryExporter({ server: nfs, hasVolume: (id) => disk.subvolumes.has(id) });
  return {
    print,
    process,
    settings,
    kv: createSimulatedKv({ process, host: node, members, etcd, wires }),
    network,
    backends: () => ({
      storage: createMemoryStorage({
        clock,
        disk,
        latencyMs: (call) => {
          storage.check(call);
          if (!isReading(call)) process.step();
          return latencyMs();
        },
      }),
      exporter: slowed(exporter, {
        clock,
        latencyMs: () => {
          process.step();
          return latencyMs();
        },
      }),
    }),
    failpoints: switchedFailpoints(settings.failpoints, () => switches.failpoints(node)),
  };
}

/** As daemon/failpoints-file.ts: what was there from the start holds while nothing is switched; the same for the same text. */
function switchedFailpoints(otherwise: FailpointActions, text: () => string): () => FailpointActions {
  let last = { text: '', actions: otherwise };
  return () => {
    const now = text();
    if (now === '') last = { text: now, actions: otherwise };
    else if (now !== last.text) last = { text: now, actions: parseFailpoints(now) };
    return last.actions;
  };
}
