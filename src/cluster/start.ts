// Starts a cluster for a test, in whichever mode, with a record of all that happens in it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSeededRandom } from '../base/random.ts';
import { createClients } from '../rig/clients.ts';
import type { Deployment } from '../rig/deployment.ts';
import { openJournal } from '../rig/journal.ts';
import { awaitReady } from '../rig/lifecycle.ts';
import { watchMachine } from '../rig/machine.ts';
import { LOGS_FOLDER } from '../rig/record-files.ts';
import { startRecorder } from '../rig/recorder.ts';
import { openFolder, writeHeader } from '../rig/run-header.ts';
import type { Scenario } from '../rig/scenario.ts';
import type { Stage } from '../rig/stage.ts';
import { etcdMembers, parseTopology, type Topology, type TopologyInput } from '../rig/topology.ts';
import type { Cluster } from './cluster.ts';
import { createCluster } from './create-cluster.ts';
import type { Conduct, OpenedMode } from './mode.ts';
import { type ModeName, modeNamed } from './modes.ts';
import { openShipping, type Shipping } from './shipping.ts';

export interface StartOptions {
  /** Default: three nodes and two consumers. README's section on topologies lists the fields. */
  readonly topology?: TopologyInput;
  /** Default: `containers`. */
  readonly mode?: ModeName;
  /** Decides every choice that is left to chance, below 2 to the power of 32. Default: 1. */
  readonly seed?: number;
  /** Where the record is written, which stays there then. It must not have one. Default: a temporary one. */
  readonly folder?: string;
  /** Until every node is ready. Default: 60,000. */
  readonly readyWithinMs?: number;
  /** Gives up the start, and whatever is awaited later. */
  readonly signal?: AbortSignal;
  /** Told what is done, a line each: images that are built. Default: nobody is. */
  readonly onProgress?: (line: string) => void;
}

const DEFAULT_TOPOLOGY: TopologyInput = {
  nodes: [{ name: 'node1' }, { name: 'node2' }, { name: 'node3' }],
  consumers: ['consumer1', 'consumer2'],
};
const READY_WITHIN_MS = 60_000;
/** What the record is of: a script that only the test knows. */
const SCENARIO: Scenario = {
  name: 'test',
  title: 'a test of its own',
  topology: DEFAULT_TOPOLOGY,
  script: [],
  checks: [],
};

/**
 * Resolves when the cluster is ready: every API answers and lists every node. Of `simulated`, time passes only while
 * something of the cluster is awaited. Throws `invalid` for a topology or mode that is none, `machine` where the mode
 * can't be had, `timeout` when the cluster doesn't become ready; nothing is left of it then.
 */
export async function startCluster(options: StartOptions = {}): Promise<Cluster> {
  const place = await prepare(options, 'calls');
  const { conduct } = place.mode;
  try {
    return await conduct(() => bringUp(place, { conduct, afterwards: place.clear }));
  } catch (error) {
    await place.clear();
    throw error;
  }
}

/**
 * Starts a cluster, has the work done with it, and removes it, whatever comes of the work; answers with what that does.
 * In `simulated` all of the work is done in simulated time, and what it does beyond awaiting this cluster (a timer, a
 * file, a socket) fails it: the same seed then always does the same. Rejects as {@link startCluster} and the work do.
 */
export async function withCluster<T>(
  options: StartOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const place = await prepare(options, 'whole');
  try {
    return await place.mode.conduct(async () => {
      await using cluster = await bringUp(place, {
        conduct: (now) => now(),
        afterwards: async () => undefined,
      });
      return await work(cluster);
    });
  } finally {
    await place.clear();
  }
}

interface Place {
  readonly options: StartOptions;
  readonly modeName: ModeName;
  readonly seed: number;
  readonly topology: Topology;
  readonly folder: string;
  readonly mode: OpenedMode;
  readonly shipping: Shipping;
  /** Records whose logs go to the log store only in the end. */
  readonly unsent: string[];
  /** To be done in real time when the cluster is gone. */
  readonly clear: () => Promise<void>;
}

async function prepare(options: StartOptions, conducts: 'calls' | 'whole'): Promise<Place> {
  const { seed = 1, mode: modeName = 'containers', onProgress = () => undefined } = options;
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RigError('invalid', `${seed} is no seed`, { next: 'Give a whole number below 4294967296.' });
  }
  const topology = parseTopology(options.topology ?? DEFAULT_TOPOLOGY, 'the topology');
  const { system } = topology;
  const image = system.kind === 'image' ? system.image : undefined;
  const shipping = openShipping(createSystemClock());
  const mode = await modeNamed(modeName).open({ seed, system: image, conducts, onProgress });
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cobalt-rig-'));
  const unsent: string[] = [];
  const clear = async (): Promise<void> => {
    await mode[Symbol.asyncDispose]();
    for (const each of unsent) await shipping.sendRecorded(each);
    await shipping.end(onProgress);
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  return { options, modeName, seed, topology, folder, mode, shipping, unsent, clear };
}

/** Whose teardown also does what is to be done `afterwards`. Nothing is left of the deployment when it rejects. */
async function bringUp(
  place: Place,
  { conduct, afterwards }: { readonly conduct: Conduct; readonly afterwards: () => Promise<void> },
): Promise<Cluster> {
  const { options, mode, modeName, seed, topology, folder } = place;
  const { clock, runId, openKv } = mode;
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  await using rest = new AsyncDisposableStack();
  const deployment = await mode.deploy({ topology, runId, folder, absentAtStart: [], signal });
  rest.defer(() => deployment.teardown());
  const stage = record(place, { deployment, signal, rest });
  rest.defer(() => over.abort());
  const timeoutMs = options.readyWithinMs ?? READY_WITHIN_MS;
  await awaitReady({ deployment, clock, timeoutMs, signal });
  const whole = rest.move();
  let ended: Promise<void> | undefined;
  const teardown = (): Promise<void> => {
    ended ??= conduct(() => whole.disposeAsync()).finally(afterwards);
    return ended;
  };
  return createCluster({ stage, mode: modeName, seed, folder, conduct, openKv, teardown });
}

/** Begins the record; `rest` gets what ends it, and is done in the opposite order. */
function record(
  { mode, seed, topology, folder, shipping, unsent }: Place,
  about: {
    readonly deployment: Deployment;
    readonly signal: AbortSignal;
    readonly rest: AsyncDisposableStack;
  },
): Stage {
  const { clock, runId, openKv, machine, recordedAs } = mode;
  const { deployment, signal, rest } = about;
  openFolder(folder, SCENARIO);
  const journal = rest.use(openJournal({ clock, folder }));
  const startedAtMs = clock.nowMs() - journal.atMs();
  const header = { scenario: SCENARIO, seed, runId, folder, topology, startedAtMs };
  writeHeader({ ...header, ...(recordedAs && { mode: recordedAs }) });
  rest.use(watchMachine({ clock, journal, ...(machine && { machine }) }));
  const onLog = shipping.from(folder);
  const following = onLog && deployment.followLogs?.(onLog);
  rest.defer(async () => {
    await deployment.saveLogs(join(folder, LOGS_FOLDER));
    if (following === undefined) unsent.push(folder);
    else await following.end();
  });
  const members = etcdMembers(topology);
  const connect = async (member: string) => openKv(await deployment.etcd(member));
  const recorder = rest.use(startRecorder({ clock, journal, members, connect }));
  const clients = createClients({ deployment, journal });
  return { clock, random: createSeededRandom(seed), deployment, recorder, journal, clients, signal };
}
