// A fleet on an etcd in memory, in a time that the test moves on.

import { createLog } from '../../../src/base/log.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { joinCluster } from '../../../src/daemon/cluster.ts';
import type { FleetWorld } from '../../../src/fleet/agent.ts';
import { createFigures } from '../../../src/fleet/figures.ts';
import { measuredKv } from '../../../src/fleet/measured-kv.ts';
import { createFleetNode, type FleetNode } from '../../../src/fleet/node.ts';
import { type Profile, profileSchema } from '../../../src/fleet/profiles.ts';
import { createSharedStore } from '../../../src/fleet/shared-store.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/kv/memory.ts';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import { createMemoryDisk, type MemoryDisk } from '../../../src/storage/memory.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

export interface TestFleet {
  readonly clock: ManualClock;
  readonly etcd: MemoryStore;
  /** A client of its own, as anybody else has. */
  readonly kv: Kv;
  readonly world: FleetWorld;
  /** Lines of the nodes' logs. */
  readonly lines: string[];
  node(
    name: string,
    options?: { readonly profile?: Partial<Profile>; readonly disk?: MemoryDisk },
  ): FleetNode;
  end(): void;
}

/** Leases of 30 s, renewed every 10. */
export async function openFleet(): Promise<TestFleet> {
  const clock = createManualClock();
  const random = createSeededRandom(1);
  const etcd = createMemoryStore({ clock });
  const kv = etcd.connect();
  await joinCluster({ kv, random });
  const lines: string[] = [];
  const log = createLog({ write: (line) => void lines.push(line), nowMs: clock.nowMs });
  const ending = new AbortController();
  const figures = createFigures();
  const own = measuredKv(etcd.connect(), { clock, figures });
  const store = createSharedStore({ kv: own, clock, random, log, signal: ending.signal, timeoutMs: 10_000 });
  const network = createMemoryWorld({ clock });
  const world: FleetWorld = {
    ...{ clock, random, log, store, kv: own, figures },
    network: network.connect('fleet'),
    agentUrl: 'http://fleet:1',
    leaseTtlSeconds: 30,
    reconcileIntervalMs: 30_000,
    trashRetentionMs: 86_400_000,
  };
  await clock.settle();
  const nodes: FleetNode[] = [];
  let ports = 0;
  return {
    ...{ clock, etcd, kv, world, lines },
    node: (name, { profile = {}, disk = createMemoryDisk({ totalBytes: 80 * 1024 ** 3 }) } = {}) => {
      ports += 1;
      const host = network.connect(name);
      const node = createFleetNode({
        world: { ...world, network: host, agentUrl: `http://${name}:${ports}` },
        name,
        labels: {},
        profile: profileSchema.parse({ capacityGib: 64, ...profile }),
        disk,
      });
      nodes.push(node);
      return node;
    },
    end: () => {
      for (const node of nodes) node.powerOff();
      ending.abort();
      etcd.close();
    },
  };
}
