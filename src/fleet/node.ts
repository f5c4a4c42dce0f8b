// A simulated node: its disk and its NFS server, and an agent of Cobalt's own for as long as
// it has power.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { backOff } from '../base/retry.ts';
import { createAgent } from '../daemon/agent/agent.ts';
import type { Kv } from '../kv/kv.ts';
import type { Labels } from '../model/names.ts';
import type { Network } from '../network/network.ts';
import { createMemoryExporter, createMemoryNfsServer, killMemoryNfsServer } from '../nfs/memory.ts';
import { createMemoryStorage, type MemoryDisk } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import type { Figures } from './figures.ts';
import { createHardware, type Hardware } from './hardware.ts';
import { clockOf, createLife, forever, type Life, plainly, portOf, within } from './life.ts';
import { createNodeKv } from './node-kv.ts';
import { observed } from './observed-log.ts';
import type { Profile } from './profiles.ts';
import type { SharedStore } from './shared-store.ts';

/** What all nodes of a fleet have in common. */
export interface FleetWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: SharedStore;
  /** etcd, for what isn't read from the store. */
  readonly kv: Kv;
  readonly network: Network;
  /** Where the agents of all nodes answer; each knows its own calls by the node that they are to. */
  readonly agentUrl: string;
  readonly figures: Figures;
  readonly leaseTtlSeconds: number;
  readonly reconcileIntervalMs: number;
  readonly trashRetentionMs: number;
}

export interface FleetNode {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly isOn: boolean;
  /** Its agent holds a lease, as far as the agent knows. */
  readonly isRegistered: boolean;
  /** Volumes that it exports. */
  readonly exports: number;
  /** How often its agent was started, and has lost its lease. */
  readonly starts: number;
  readonly lostLeases: number;
  /** Starts its agent, at the address (default: its name). Nothing, if it is on. */
  powerOn(address?: string): void;
  /** As by pulling the plug. */
  powerOff(): void;
  /** Lets its agent end what is under way and give up its lease; then it is off. */
  shutDown(): Promise<void>;
}

export interface FleetNodeOptions {
  readonly world: FleetWorld;
  readonly name: string;
  readonly labels: Labels;
  readonly profile: Profile;
  readonly disk: MemoryDisk;
  /** Awaited after each call that changes the disk. Default: a disk that is kept nowhere. */
  readonly onWritten?: () => Promise<void>;
}

const VOLUME_PATH = '/srv/cobalt';
const RESTART_MS = { base: 500, cap: 10_000 };
const READING: readonly (keyof Storage)[] = [
  'space',
  'list',
  'find',
  'copies',
  'send',
  'digest',
  'health',
  'binding',
];

/** It is off at first. */
export function createFleetNode(options: FleetNodeOptions): FleetNode {
  const { world, name, disk } = options;
  const server = createMemoryNfsServer();
  let running:
    | { readonly life: Life; readonly stop: AbortController; readonly ended: Promise<void> }
    | undefined;
  let isRegistered = false;
  let starts = 0;
  let lostLeases = 0;
  const onEvent = (event: string): void => {
    if (event === 'agent.registered') {
      isRegistered = true;
      world.figures.registered += 1;
    } else if (event === 'agent.lost-lease') {
      isRegistered = false;
      lostLeases += 1;
      world.figures.lostLeases += 1;
    }
  };

  const start = (address: string): void => {
    const life = createLife();
    const stop = new AbortController();
    server.up = true;
    starts += 1;
    const serve = () => serveAgent(options, { life, server, address, onEvent, signal: stop.signal });
    running = { life, stop, ended: serve() };
  };
  const end = (): void => {
    running?.life.end();
    running = undefined;
    isRegistered = false;
    killMemoryNfsServer(server);
  };

  return {
    name,
    disk,
    get isOn() {
      return running !== undefined;
    },
    get isRegistered() {
      return isRegistered;
    },
    get exports() {
      return server.exports.size;
    },
    get starts() {
      return starts;
    },
    get lostLeases() {
      return lostLeases;
    },
    powerOn: (address = name) => {
      if (running === undefined) start(address);
    },
    powerOff: end,
    shutDown: async () => {
      const ending = running;
      ending?.stop.abort();
      await ending?.ended;
      if (running === ending) end();
    },
  };
}

interface Incarnation {
  readonly life: Life;
  readonly server: ReturnType<typeof createMemoryNfsServer>;
  readonly address: string;
  readonly onEvent: (event: string) => void;
  readonly signal: AbortSignal;
}

/** As the supervisor does: an agent that ends is started again. Resolves when the signal has fired. */
async function serveAgent(options: FleetNodeOptions, incarnation: Incarnation): Promise<void> {
  const { world } = options;
  const { life, signal } = incarnation;
  const clock = clockOf(life, world.clock);
  const log = observed(world.log, { node: options.name, role: 'agent' }, incarnation.onEvent, world.figures);
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await within(life, agentOf(options, incarnation, { clock, log }).run(signal));
    } catch (error) {
      log.error('role.crashed', { cause: RigError.from(error) });
    }
    if (signal.aborted) return;
    await backOff({
      clock,
      random: world.random,
      signal,
      attempt,
      baseMs: RESTART_MS.base,
      capMs: RESTART_MS.cap,
    });
  }
}

function agentOf(
  { world, name, labels, profile, disk, onWritten }: FleetNodeOptions,
  { life, server, address }: Incarnation,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
) {
  const hardware = createHardware({ profile, clock, random: world.random });
  const written: Hardware['disk'] =
    onWritten === undefined
      ? hardware.disk
      : async (call, work) => {
          const result = await hardware.disk(call, work);
          if (!READING.includes(call as keyof Storage)) await onWritten();
          return result;
        };
  const storage = portOf(life, createMemoryStorage({ clock, disk }) as Storage, {
    around: written,
    streams: ['send'],
  });
  const exporter = portOf(
    life,
    createMemoryExporter({ server, hasVolume: (id) => disk.subvolumes.has(id) }),
    { around: hardware.nfs },
  );
  return createAgent({
    clock,
    random: world.random,
    log,
    kv: kvOf({ world, name, disk, server, life, hardware }),
    storage,
    exporter,
    network: networkOf(life, world.network, hardware),
    // All listen at one address, and are told apart there.
    listen: { host: name, port: 0 },
    facts: {
      node: name,
      address,
      agentUrl: world.agentUrl,
      roles: ['agent'],
      labels,
      capacityGib: profile.capacityGib,
      volumePath: VOLUME_PATH,
      virtual: true,
    },
    leaseTtlSeconds: world.leaseTtlSeconds,
    reconcileIntervalMs: world.reconcileIntervalMs,
    trashRetentionMs: world.trashRetentionMs,
  });
}

function kvOf(options: {
  readonly world: FleetWorld;
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly server: Incarnation['server'];
  readonly life: Life;
  readonly hardware: Hardware;
}): Kv {
  const { world, name, disk, server, life, hardware } = options;
  const whole = createNodeKv({
    store: world.store,
    node: name,
    holdings: {
      ids: () => [...disk.subvolumes.keys(), ...server.exports.keys()],
      hasCopies: () => disk.copies.size > 0,
    },
    kv: {
      ...world.kv,
      transact: async (transaction) => {
        const result = await world.kv.transact(transaction);
        if (hardware.losesReply()) throw lostReply('a write to etcd');
        return result;
      },
    },
  });
  life.onEnd(() => void whole.close());
  return portOf(life, whole, { around: plainly, streams: ['watch'] });
}

function networkOf(life: Life, network: Network, hardware: Hardware): Network {
  return {
    listen: async (at, handler) => {
      const listener = await network.listen(at, async (request) => {
        const response = await within(life, handler(request));
        if (hardware.losesReply()) throw lostReply('a call of another node');
        return response;
      });
      life.onEnd(() => void listener.close());
      return listener;
    },
    call: (request) =>
      life.isOver
        ? forever()
        : within(
            life,
            network.call(request).then((response) => {
              if (hardware.losesReply()) throw lostReply('a call to another node');
              return response;
            }),
          ),
  };
}

function lostReply(what: string): RigError {
  return new RigError('timeout', `the answer to ${what} was lost`, { definite: false });
}
