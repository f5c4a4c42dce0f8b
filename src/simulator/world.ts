// What the parts of one simulated cluster share.

import { createSeededRandom, type Random } from '../base/random.ts';
import { createWires, type Wires } from '../hardware/wires.ts';
import type { Kv } from '../kv/kv.ts';
import { createMemoryWorld, type MemoryWorld } from '../network/memory.ts';
import type { Topology } from '../rig/topology.ts';
import { etcdMembers } from '../rig/topology.ts';
import { createEtcd, type SimulatedEtcd } from './etcd.ts';
import { createSimulatedKv } from './kv.ts';
import { createProcess, type Process } from './process.ts';
import type { Queue } from './queue.ts';

export interface World {
  readonly queue: Queue;
  readonly wires: Wires;
  readonly etcd: SimulatedEtcd;
  /** Agents, by `http://<node>:<port>`. */
  readonly agents: MemoryWorld;
  /** The rig: its own process, which nothing ever happens to. */
  readonly rig: Process;
  /** A generator of its own, so that one part's draws don't shift another's. */
  readonly random: () => Random;
  /** Members' IP addresses. */
  readonly addressOf: (member: string) => string;
}

export function createWorld(queue: Queue, seed: number, topology: Topology): World {
  const root = createSeededRandom(seed);
  const random = (): Random => createSeededRandom(root.uint32());
  const wires = createWires({ time: queue, random: random() });
  const etcd = createEtcd({ queue, wires, random: random(), names: etcdMembers(topology) });
  const rig = createProcess(queue);
  const carry = (
    { from, to, opener }: { from: string; to: string; opener: string },
    bytes: number,
    gone: AbortSignal,
  ) =>
    wires.carry(
      { from, to, opener, bytes },
      {
        get over() {
          return gone.aborted;
        },
      },
    );
  const agents = createMemoryWorld({ clock: rig.clock, carry });
  const addresses = new Map<string, string>();
  const addressOf = (member: string): string => {
    const number = addresses.size + 2;
    const known = addresses.get(member) ?? `10.77.${number >> 8}.${number & 0xff}`;
    addresses.set(member, known);
    return known;
  };
  return { queue, wires, etcd, agents, rig, random, addressOf };
}

/** etcd as the rig observes it, past all links. */
export const observingKv = ({ etcd, wires, rig }: World, members: readonly string[]): Kv =>
  createSimulatedKv({ process: rig, host: undefined, members, etcd, wires });
