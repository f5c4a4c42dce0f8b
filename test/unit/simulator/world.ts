// A world of etcd and wires, for what is tested of them.

import { waitFor } from '../../../src/base/retry.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import type { LinkEffect } from '../../../src/rig/deployment.ts';
import { etcdMembers, parseTopology } from '../../../src/rig/topology.ts';
import { drive } from '../../../src/simulator/drive.ts';
import { createSimulatedKv } from '../../../src/simulator/kv.ts';
import { createProcess, type Process } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { createWorld, type World } from '../../../src/simulator/world.ts';
import { LOOP } from './loop.ts';

export interface TestWorld extends World {
  /** A client on node1, and its process. */
  client(members?: readonly string[]): { readonly kv: Kv; readonly process: Process };
  /** Between node1 and a member, or two members, from now on. */
  link(from: string, to: string, effect: LinkEffect): void;
}

/** Does the work in simulated time, once etcd answers. */
export async function inWorld<T>(members: 1 | 3, work: (world: TestWorld) => Promise<T>): Promise<T> {
  const queue = createQueue();
  const topology = parseTopology({ etcd: { members }, nodes: [{ name: 'node1' }] }, 'this test');
  const names = etcdMembers(topology);
  const world = createWorld(queue, 1, topology);
  const { etcd, wires, rig } = world;
  let links = 0;
  const test: TestWorld = {
    ...world,
    client: (known = names) => {
      const process = createProcess(queue);
      return { kv: createSimulatedKv({ process, host: 'node1', members: known, etcd, wires }), process };
    },
    link: (from, to, effect) => {
      links += 1;
      wires.set(`link ${links}`, [{ from, to, effect }]);
    },
  };
  return drive(queue, LOOP, async () => {
    for (const name of names) etcd.act('start', name);
    const probe = async () => names.every(etcd.serves) || undefined;
    await waitFor({ clock: rig.clock, what: 'etcd to answer', timeoutMs: 10_000, probe });
    return work(test);
  });
}
