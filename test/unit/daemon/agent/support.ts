// The agent's parts around a store and a disk in memory, for tests that put
// something between two of their steps.

import { NO_FAILPOINTS } from '../../../../src/base/failpoints.ts';
import { createLog, type LogLine } from '../../../../src/base/log.ts';
import { createSeededRandom } from '../../../../src/base/random.ts';
import { createBinding } from '../../../../src/daemon/agent/binding.ts';
import { createMover } from '../../../../src/daemon/agent/move/mover.ts';
import { createWorkQueue } from '../../../../src/daemon/agent/queue.ts';
import { createReconciler } from '../../../../src/daemon/agent/reconcile.ts';
import { createRewrites } from '../../../../src/daemon/agent/rewrites.ts';
import { attend } from '../../../../src/daemon/agent/work.ts';
import { joinCluster } from '../../../../src/daemon/cluster.ts';
import { createPeers } from '../../../../src/daemon/peers.ts';
import { createSecret } from '../../../../src/daemon/secret.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import type { Kv } from '../../../../src/kv/kv.ts';
import { createMemoryStore, type MemoryStore } from '../../../../src/kv/memory.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { createMemoryWorld } from '../../../../src/network/memory.ts';
import { createMemoryExporter } from '../../../../src/nfs/memory.ts';
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from '../../../../src/storage/memory.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

export const INTERVAL_MS = 1000;
export const TTL_SECONDS = 10;

/** The store's calls go through a layer in which a test may replace single ones. */
export function createNode(options: {
  readonly store: MemoryStore;
  readonly node?: string;
  readonly disk?: MemoryDisk;
  readonly clock?: ReturnType<typeof createManualClock>;
}) {
  const { store, node = 'a', disk = createMemoryDisk({ totalBytes: 64 * 1024 ** 3 }) } = options;
  const clock = options.clock ?? createManualClock();
  const lines: LogLine[] = [];
  const log = createLog({
    write: (line) => void lines.push(JSON.parse(line) as LogLine),
    nowMs: clock.nowMs,
    level: 'debug',
  });
  const random = createSeededRandom(7);
  const raw = store.connect();
  const kv: { -readonly [Call in keyof Kv]: Kv[Call] } = { ...raw };
  const storage = createMemoryStorage({ clock, disk });
  const exporter = createMemoryExporter();
  const failpoints = NO_FAILPOINTS;
  const binding = createBinding({ kv, random, storage, log, failpoints, node });
  const lost: string[] = [];
  const queue = createWorkQueue({ concurrency: 8, work: (id, job) => attend(work, id, job) });
  const ports = { kv, clock, random, log, failpoints, storage, exporter, binding, node };
  const secret = createSecret({ kv, random });
  const network = createMemoryWorld({ clock }).connect(node);
  const peers = createPeers({ kv, network, random, secret, node });
  const mover = createMover({
    ...{ ...ports, peers, secret, queue, intervalMs: INTERVAL_MS },
    announceLeaving: async () => {},
    onDisposed: () => undefined,
  });
  const diskFailures: string[] = [];
  const ended: string[] = [];
  const rewrites = createRewrites({ ...ports, onEnd: (id) => void ended.push(id) });
  const work = {
    ...{ ...ports, mover, rewrites, leaseTtlSeconds: TTL_SECONDS },
    onLost: (id: string) => void lost.push(id),
    onDiskFailure: () => void diskFailures.push('failed'),
  };
  const reconciler = createReconciler({ ...work, queue, intervalMs: INTERVAL_MS, trashRetentionMs: 60_000 });
  return {
    ...{ store, kv, raw, clock, storage, exporter, disk, binding, reconciler, rewrites, queue, log: lines },
    ...{ lost, ended, diskFailures },
    attend: (id: string) => attend(work, id, { look: false }),
    events: () => lines.map(({ event }) => event),
  };
}

/** A store that somebody has joined. */
export async function openStore(): Promise<MemoryStore> {
  const store = createMemoryStore({ clock: createManualClock() });
  await joinCluster({ kv: store.connect(), random: createSeededRandom(1) });
  return store;
}

export async function put(kv: Kv, volume: Volume): Promise<void> {
  await kv.transact({
    compare: [],
    writes: [{ kind: 'put', key: volumeKey(volume.id), value: JSON.stringify(volume) }],
  });
}

export async function remove(kv: Kv, id: string): Promise<void> {
  await kv.transact({ compare: [], writes: [{ kind: 'delete', key: volumeKey(id) }] });
}
