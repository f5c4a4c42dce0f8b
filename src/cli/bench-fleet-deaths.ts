// How soon an engine has given away what nodes that die were to create, in a cluster of
// thousands.

import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { VOLUMES_PREFIX, volumeKey } from '../kv/keys.ts';
import type { Write } from '../kv/kv.ts';
import { parseStored } from '../model/parse.ts';
import { type Volume, volumeSchema } from '../model/volume.ts';
import { allRegistered, type Measuring } from './bench-fleet-measuring.ts';

const DEAD_SHARE = 0.1;
const VOLUMES_PER_DEAD_NODE = 10;
/** etcd takes 128 writes in a transaction. */
const WRITES_AT_ONCE = 100;
/** How long it is waited beyond the lease, to tell by how much the bound was missed. */
const WITHIN_SECONDS = 60;

export interface DeathsResult {
  readonly nodes: number;
  readonly dead: number;
  /** Assigned to nodes that are dead, and not created yet. */
  readonly volumes: number;
  readonly ttlSeconds: number;
  /** From the death until no volume was on a dead node, and until all were ready; null: not in time. */
  readonly rescheduledSeconds: number | null;
  readonly readySeconds: number | null;
}

export async function rescheduled(measuring: Measuring): Promise<DeathsResult> {
  const { running, clock, signal, nodes } = measuring;
  const { fleet, world } = running;
  if (!(await allRegistered(measuring)))
    throw new RigError('machine', 'not all nodes have registered in time');
  const dead = new Set([...fleet.nodes.keys()].slice(0, Math.ceil(nodes * DEAD_SHARE)));
  for (const name of dead) fleet.nodes.get(name)?.powerOff();
  const diedMs = clock.monotonicMs();
  // As an engine has assigned them a moment before: it knows of no death while their leases last.
  const writes = [...dead].flatMap((node, index) => assigned(node, index, clock.nowMs()));
  for (let from = 0; from < writes.length; from += WRITES_AT_ONCE)
    await world.kv.transact({ compare: [], writes: writes.slice(from, from + WRITES_AT_ONCE) });
  const secondsUntil = async (holds: (volume: Volume) => boolean): Promise<number | null> => {
    const all = (): readonly Volume[] =>
      [...world.store.entries.values()].flatMap((kv) =>
        kv.key.startsWith(VOLUMES_PREFIX) ? [parseStored(volumeSchema, kv)] : [],
      );
    try {
      await waitFor({
        ...{ clock, signal, intervalMs: 100 },
        what: 'the volumes',
        timeoutMs: (world.leaseTtlSeconds + WITHIN_SECONDS) * 1000,
        probe: async () => {
          const found = all();
          return (found.length === writes.length && found.every(holds)) || undefined;
        },
      });
      return (clock.monotonicMs() - diedMs) / 1000;
    } catch (error) {
      if (hasCode(error, 'timeout')) return null;
      throw error;
    }
  };
  const rescheduledSeconds = await secondsUntil(({ node }) => node !== null && !dead.has(node));
  const readySeconds = await secondsUntil(({ state }) => state === 'ready');
  return {
    ...{ nodes, dead: dead.size, volumes: writes.length, ttlSeconds: world.leaseTtlSeconds },
    ...{ rescheduledSeconds, readySeconds },
  };
}

function assigned(node: string, index: number, nowMs: number): readonly Write[] {
  return Array.from({ length: VOLUMES_PER_DEAD_NODE }, (_, number) => {
    const id = `v${(index * VOLUMES_PER_DEAD_NODE + number).toString(16).padStart(16, '0')}`;
    const volume: Volume = {
      ...{ id, name: id, meta: {}, state: 'scheduling', node, actual: null, exports: [] },
      requested: { reserved_size: 1, constraints: {} },
      control: {
        ...{ error: null, error_count: 0, parent_id: null, task: null, trace: null },
        updated: new Date(nowMs).toISOString(),
        writer: { role: 'api', node: 'bench-control', term: null },
      },
    };
    return { kind: 'put', key: volumeKey(id), value: JSON.stringify(volume) };
  });
}
