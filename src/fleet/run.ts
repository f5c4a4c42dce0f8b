// A simulated cluster while it runs: etcd, perhaps an API and an engine, and the nodes as they
// are declared, until it is told to end.

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { whenAborted } from '../base/abortable.ts';
import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrent.ts';
import { RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { hex, type Random } from '../base/random.ts';
import { createEtcdKv } from '../kv/etcd.ts';
import type { EtcdCredentials } from '../kv/etcd-credentials.ts';
import type { Network } from '../network/network.ts';
import { createMemoryDisk } from '../storage/memory.ts';
import type { FleetWorld } from './agent.ts';
import { answer, type FleetStatus, statusOf } from './answers.ts';
import type { Cluster } from './cluster.ts';
import { clusterFile, lockRun, readCluster } from './cluster-file.ts';
import { startControlDaemon } from './control-daemon.ts';
import { openDiskFiles } from './disk-files.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { keepEtcd } from './keep-etcd.ts';
import { forget } from './leave.ts';
import { createLeaving } from './leaving.ts';
import { createNoise } from './noise.ts';
import { createSteward, type Disks } from './steward.ts';
import { type OpenWorld, openWorld } from './world.ts';

/** How often the declaration is looked at, and nodes that leave are. */
const LOOK_MS = 500;
/**
 * Longer than a daemon's, which has the stream to itself: where thousands share one, an answer that is late would take
 * it for dead, and with it the renewals of all. A heartbeat's time leaves two more in that of the lease.
 */
const REQUEST_TIMEOUT_MS = { least: 1500, most: 10_000 };
const FORGOTTEN_AT_ONCE = 64;
/** Before this nobody wonders. */
const ETCD_IS_LATE_MS = 2000;

/** To an etcd that is there. */
export interface FleetAccess {
  readonly credentials: EtcdCredentials;
  /** What tells a daemon the same. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface RunOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  /** The nodes' own; their figures are kept whether or not it is. */
  readonly log: Log;
  /** False: the disks are gone with the process. */
  readonly keepsDisks: boolean;
  /** Whether to start an API and an engine. */
  readonly control: boolean;
  readonly port?: number | undefined;
  /** Asked where etcd is there, by its endpoints: who we are to it. Default: nobody. */
  readonly readAccess?: (endpoints: readonly string[]) => Promise<FleetAccess>;
  /** Asked where it has an etcd of its own. Default: `etcd`, found on the PATH. */
  readonly findEtcd?: () => Promise<string>;
  readonly onProgress: (what: string) => void;
  /** Called when everything has been begun. */
  readonly onRunning: (cluster: RunningCluster) => void;
}

export interface RunningCluster {
  readonly url: string;
  readonly api: string | null;
  readonly etcd: readonly string[];
  status(): FleetStatus;
  /** Every node that is to have power is registered. */
  isComplete(): boolean;
  readonly fleet: Fleet;
  readonly world: FleetWorld;
  /** Undefined where the etcd isn't our own. */
  readonly etcdPid: number | undefined;
}

/**
 * Runs the cluster of the folder until the signal fires, then lets all agents end in peace. Rejects as
 * {@link readCluster} does; with `conflict` while it runs elsewhere; with `machine` where etcd can't be started.
 */
export async function runCluster(options: RunOptions, signal: AbortSignal): Promise<void> {
  const { folder, clock, random, network, onProgress } = options;
  const cluster = await readCluster(folder);
  const access = cluster.etcd.length > 0 ? await options.readAccess?.(cluster.etcd) : undefined;
  await using lock = await lockRun(folder);
  const disks = await openDisks(options);
  await mkdir(join(folder, 'logs'), { recursive: true });
  await using own =
    cluster.etcd.length > 0
      ? undefined
      : await keepEtcd({
          clock,
          folder: join(folder, 'etcd'),
          binary: await options.findEtcd?.(),
          onProgress,
        });
  const etcd = own === undefined ? cluster.etcd : [own.endpoint];
  const fleet = createFleet();
  const answered = new AbortController();
  void clock.sleep(ETCD_IS_LATE_MS, AbortSignal.any([signal, answered.signal])).then(
    () => onProgress(`etcd at ${etcd.join(', ')} does not answer; it is waited for`),
    () => undefined,
  );
  await using open = await openFleetWorld(options, { cluster, etcd, access, fleet }, signal).finally(() =>
    answered.abort(),
  );
  const { world } = open;
  // Of several clusters on one machine no two daemons may have one name.
  const name = `${cluster.prefix}-control-${hex(random, 8)}`;
  await using control = options.control
    ? await startControlDaemon({ clock, network, name, folder, etcd, variables: access?.variables })
    : undefined;
  const api = control?.url ?? null;
  await lock.tell({ url: world.agentUrl, etcd, api });
  try {
    await serve(options, { cluster, disks, open, fleet, reached: { etcd, api, etcdPid: own?.pid } }, signal);
  } finally {
    if (fleet.counts().on > 0) onProgress('the agents end what is under way');
    await fleet.shutDown();
    if (!options.keepsDisks && own === undefined) await forgetAll(options, world, fleet);
  }
}

interface Parts {
  readonly cluster: Cluster;
  readonly disks: OpenDisks;
  readonly open: OpenWorld;
  readonly fleet: Fleet;
  readonly reached: Pick<RunningCluster, 'etcd' | 'api' | 'etcdPid'>;
}

/** Makes the nodes what is declared, until the signal fires. They are left as they are then. */
async function serve(options: RunOptions, parts: Parts, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = options;
  const { cluster, disks, open, fleet, reached } = parts;
  const { world } = open;
  const steward = createSteward({ world, fleet, disks, clock, spreadMs: cluster.heartbeatSeconds * 1000 });
  const leaving = createLeaving({ ...options, world, fleet, removeDisk: disks.remove });
  const noise = createNoise({ fleet, log, random, profileOf: steward.profileOf });
  const follow = (declared: Cluster): void => {
    steward.follow(declared);
    leaving.follow(declared);
  };
  follow(cluster);
  options.onRunning({
    ...{ url: world.agentUrl, ...reached, fleet, world },
    status: () => statusOf(fleet, world),
    isComplete: steward.isComplete,
  });
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const looking = [
    eachLook(clock, ended, async () => noise.tick(LOOK_MS)),
    followFile(options, ended, follow),
  ];
  try {
    await Promise.race([open.failed, ...looking, whenAborted(signal)]);
  } finally {
    steward.stop();
    ending.abort();
    await Promise.allSettled(looking);
    await leaving.idle();
  }
}

async function openFleetWorld(
  { clock, random, log, network, port }: RunOptions,
  {
    cluster: { heartbeatSeconds, reconcileIntervalMs },
    etcd,
    access,
    fleet,
  }: {
    readonly cluster: Cluster;
    readonly etcd: readonly string[];
    readonly access: FleetAccess | undefined;
    readonly fleet: Fleet;
  },
  signal: AbortSignal,
): Promise<OpenWorld> {
  let world: FleetWorld | undefined;
  const { least, most } = REQUEST_TIMEOUT_MS;
  const requestTimeoutMs = Math.min(most, Math.max(least, heartbeatSeconds * 1000));
  const kv = createEtcdKv({ ...access?.credentials, endpoints: etcd, requestTimeoutMs });
  const open = await openWorld(
    {
      ...{ clock, random, log, kv, network, port, heartbeatSeconds, reconcileIntervalMs },
      answer: async (path) => (world === undefined ? undefined : answer(path, { fleet, world })),
    },
    signal,
  );
  world = open.world;
  return open;
}

/** An etcd that goes on must not keep nodes that never come back. What has volumes stays, for somebody to see to. */
async function forgetAll({ onProgress }: RunOptions, world: FleetWorld, fleet: Fleet): Promise<void> {
  try {
    const forgotten = await mapConcurrently([...fleet.nodes.keys()], {
      concurrency: FORGOTTEN_AT_ONCE,
      each: (name) => forget(world, name),
    });
    const left = forgotten.filter((isForgotten) => !isForgotten).length;
    if (left > 0) onProgress(`${left} nodes stay known to etcd, with the volumes that were on them`);
  } catch (error) {
    onProgress(`etcd still knows of the nodes: ${RigError.from(error).message}`);
  }
}

interface OpenDisks extends Disks {
  remove(name: string): Promise<void>;
}

async function openDisks({ keepsDisks, folder }: RunOptions): Promise<OpenDisks> {
  if (keepsDisks) return openDiskFiles(join(folder, 'disks'));
  return { open: (_name, totalBytes) => createMemoryDisk({ totalBytes }), remove: async () => undefined };
}

/** Resolves when the signal has fired. */
async function eachLook(clock: Clock, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** Tells of the declaration whenever it has changed. One that can't be read is told of once, and waited out. */
async function followFile(
  { folder, clock, onProgress }: RunOptions,
  signal: AbortSignal,
  onChange: (cluster: Cluster) => void,
): Promise<void> {
  const look = async (): Promise<string> => {
    const { ino, mtimeMs, size } = await stat(clusterFile(folder));
    return `${ino} ${mtimeMs} ${size}`;
  };
  let seen = await look().catch(() => '');
  await eachLook(clock, signal, async () => {
    const now = await look().catch(() => 'missing');
    if (now === seen) return;
    seen = now;
    try {
      onChange(await readCluster(folder));
    } catch (error) {
      onProgress(`${RigError.from(error).message}; the nodes stay as they are`);
    }
  });
}
