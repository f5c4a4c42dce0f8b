// What the nodes of a fleet stand in: etcd with one client for all of them, the copy of it
// that they share, and the port at which they are reached.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { joinWhenReachable } from '../daemon/cluster.ts';
import { createSecret } from '../daemon/secret.ts';
import type { Kv } from '../kv/kv.ts';
import type { Network, NetworkResponse } from '../network/network.ts';
import type { FleetWorld } from './agent.ts';
import { createFigures } from './figures.ts';
import { openHub } from './hub.ts';
import { measuredKv } from './measured-kv.ts';
import { createSharedStore } from './shared-store.ts';

/** Leases are renewed three times in their time to live (kv/session.ts). */
const HEARTBEATS_PER_TTL = 3;
const TRASH_RETENTION_MS = 86_400_000;
/** How long a read waits for an etcd that is away before its agent is told. */
const READ_TIMEOUT_MS = 10_000;

export interface WorldOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Closed with the world. */
  readonly kv: Kv;
  /** What the port and the calls between nodes go through. */
  readonly network: Network;
  readonly port?: number | undefined;
  readonly heartbeatSeconds: number;
  readonly reconcileIntervalMs: number;
  /** What is asked of the port, but for calls between nodes. */
  readonly answer: (path: string) => Promise<NetworkResponse | undefined>;
}

export interface OpenWorld extends AsyncDisposable {
  readonly world: FleetWorld;
  /** Rejects when the watch that all share ends for a reason that waiting doesn't mend; never resolves before the disposal. */
  readonly failed: Promise<void>;
}

/** Resolves when etcd answers and has been read; rejects with `aborted` when the signal fires before. */
export async function openWorld(options: WorldOptions, signal: AbortSignal): Promise<OpenWorld> {
  const { clock, random, log } = options;
  const figures = createFigures();
  const kv = measuredKv(options.kv, { clock, figures });
  const ending = new AbortController();
  const hub = await openHub(options);
  const store = createSharedStore({
    ...{ kv, clock, random, log },
    signal: ending.signal,
    timeoutMs: READ_TIMEOUT_MS,
  });
  const close = async (): Promise<void> => {
    ending.abort();
    await store.done.catch(() => undefined);
    await hub.close();
    await kv.close();
  };
  try {
    await joinWhenReachable({ kv, clock, random, signal });
    // Made once here, and not by thousands at the same moment.
    await createSecret({ kv, random }).get();
    await store.fresh();
  } catch (error) {
    await close();
    throw error;
  }
  const world: FleetWorld = {
    ...{ clock, random, log, store, kv, figures },
    network: hub.network,
    agentUrl: hub.url,
    leaseTtlSeconds: options.heartbeatSeconds * HEARTBEATS_PER_TTL,
    reconcileIntervalMs: options.reconcileIntervalMs,
    trashRetentionMs: TRASH_RETENTION_MS,
  };
  return { world, failed: store.done, [Symbol.asyncDispose]: close };
}
