// The agent of a simulated node: Cobalt's own, with ports that end with the node's power and
// are as good as its hardware.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { type Agent, createAgent } from '../daemon/agent/agent.ts';
import type { Kv } from '../kv/kv.ts';
import type { Labels } from '../model/names.ts';
import type { Network } from '../network/network.ts';
import { createMemoryExporter, type MemoryNfsServer } from '../nfs/memory.ts';
import { createMemoryStorage, type MemoryDisk } from '../storage/memory.ts';
import { isReading } from '../storage/memory-perform.ts';
import type { Storage } from '../storage/storage.ts';
import type { Figures } from './figures.ts';
import { createHardware, type Hardware } from './hardware.ts';
import { forever, type Life, plainly, portOf, within } from './life.ts';
import { createNodeKv } from './node-kv.ts';
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

export interface FleetNodeOptions {
  readonly world: FleetWorld;
  readonly name: string;
  readonly labels: Labels;
  readonly profile: Profile;
  readonly disk: MemoryDisk;
  /** Awaited after each call that changes the disk. Default: a disk that is kept nowhere. */
  readonly onWritten?: () => Promise<void>;
}

/** From power on to power off. */
export interface Incarnation {
  readonly life: Life;
  readonly server: MemoryNfsServer;
  readonly address: string;
  readonly onEvent: (event: string) => void;
  readonly signal: AbortSignal;
}

const VOLUME_PATH = '/srv/cobalt';
/** An agent of Cobalt's own, for one incarnation. */
export function createFleetAgent(
  { world, name, labels, profile, disk, onWritten }: FleetNodeOptions,
  { life, server, address }: Incarnation,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Agent {
  const hardware = createHardware({ profile, clock, random: world.random });
  const written: Hardware['disk'] =
    onWritten === undefined
      ? hardware.disk
      : async (call, work) => {
          const result = await hardware.disk(call, work);
          if (!isReading(call as keyof Storage)) await onWritten();
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
