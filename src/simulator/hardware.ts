// What the rig does to a simulated node's hardware and to its daemon's switches
// (rig/deployment.ts: Disks, Clocks, FailpointSwitches, Memory).

import { RigError } from '../base/errors.ts';
import { below, type Random } from '../base/random.ts';
import { type ActiveCondition, offsetMs } from '../rig/clock/offsets.ts';
import type { Clocks, Deployment, DiskCondition, DiskWrite } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';
import type { TopologyNode } from '../rig/topology.ts';
import type { SimulatedDisk } from './disk.ts';
import { fillVolume } from './nfs.ts';
import type { SimulatedNode } from './node.ts';
import type { Switches } from './switches.ts';
import { someMs } from './wires.ts';
import type { World } from './world.ts';

export interface Hardware {
  readonly switches: Switches;
  readonly parts: Pick<Deployment, 'disks' | 'clocks' | 'failpoints' | 'memory'>;
}

export interface HardwareOptions {
  readonly world: World;
  readonly random: Random;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly planned: (name: string) => TopologyNode | undefined;
  readonly hasSwitches: () => boolean;
}

/** A condition is in force at once, whether the node runs or not. */
const here = { state: async () => 'running' as const };

export function createHardware(options: HardwareOptions): Hardware {
  const { world, planned, hasSwitches } = options;
  const clocks = createConditions<ActiveCondition>({ ...here, apply: async () => undefined });
  const failpoints = createConditions<string>({ ...here, apply: async () => undefined });
  const nowMs = (): number => world.rig.clock.nowMs();
  return {
    switches: {
      aheadMs: (node) => offsetMs(clocks.of(node), nowMs()),
      failpoints: (node) => failpoints.of(node).join(';'),
    },
    parts: {
      disks: createDisks(options),
      clocks: {
        set: (key, node, condition) => clocks.set(key, node, condition && { condition, sinceMs: nowMs() }),
        expectedMs: (node, exceptKey) => offsetMs(clocks.of(node, exceptKey), nowMs()),
        read: async (node) => readClock(options, node),
        missing: async (node) =>
          planned(node)?.clock === 'own'
            ? undefined
            : `${node} has the host's clock: give it \`clock: 'own'\``,
      },
      failpoints: {
        set: failpoints.set,
        missing: () => (hasSwitches() ? undefined : 'give the topology settings.failpointSwitches: true'),
      },
      memory: createMemory(options),
    },
  };
}

async function readClock({ world, nodes }: HardwareOptions, node: string): ReturnType<Clocks['read']> {
  const { rig } = world;
  await rig.clock.sleep(1);
  const api = nodes.get(node)?.api;
  if (api === undefined || api.process.isFrozen) throw new RigError('unavailable', `${node} does not answer`);
  const aheadMs = api.process.clock.nowMs() - rig.clock.nowMs();
  return { leastMs: aheadMs, mostMs: aheadMs };
}

function createDisks({ world, nodes, planned }: HardwareOptions): Deployment['disks'] {
  const conditions = createConditions<DiskCondition>({
    ...here,
    apply: async (node, all) => {
      nodes.get(node)?.storage.become(all);
    },
  });
  const runningOf = (name: string): SimulatedNode => {
    const node = nodes.get(name);
    if (node?.state === 'running') return node;
    throw new RigError('machine', `cannot look at the disk of ${name}: it does not run`);
  };
  const wait = async (ms: number): Promise<number> => {
    await world.rig.clock.sleep(ms);
    return Math.round(ms);
  };
  const holding = (volume: string): readonly SimulatedNode[] =>
    [...nodes.values()].filter(
      ({ state, storage }) => state === 'running' && storage.disk.subvolumes.has(volume),
    );
  return {
    set: conditions.set,
    inForce: (node) => conditions.of(node),
    write: async (name, bytes) => {
      const { storage } = runningOf(name);
      const outcome = wholeDiskOutcome(storage);
      return { outcome, tookMs: await wait(outcome === 'written' ? storage.bytesMs(bytes) : 1) };
    },
    fillVolume: async (volume) => {
      const found = holding(volume);
      if (found.length === 0) throw new RigError('not_found', `no node that runs has ${volume} on its disk`);
      for (const { storage } of found) fillVolume(storage.disk.subvolumes.get(volume), true);
    },
    emptyVolume: async (volume) => {
      for (const { storage } of holding(volume)) fillVolume(storage.disk.subvolumes.get(volume), false);
    },
    writeVolume: async (volume) => {
      await wait(1);
      return new Map(
        holding(volume).map(({ name, storage }) => [
          name,
          { outcome: volumeOutcome(storage, volume), tookMs: 1 },
        ]),
      );
    },
    missing: async (condition, node) =>
      (condition === 'failing' || condition === 'slow') && planned(node)?.disk !== 'breakable'
        ? `the disk of ${node} is a plain one: give it \`disk: 'breakable'\` in the topology`
        : undefined,
  };
}

function wholeDiskOutcome(storage: SimulatedDisk): DiskWrite['outcome'] {
  if (storage.is('failing')) return 'failed';
  if (storage.is('read-only')) return 'read-only';
  return storage.is('full') ? 'disk-full' : 'written';
}

function volumeOutcome(storage: SimulatedDisk, id: string): DiskWrite['outcome'] {
  const outcome = wholeDiskOutcome(storage);
  const { quotaBytes = null, usedBytes = 0 } = storage.disk.subvolumes.get(id) ?? {};
  return outcome === 'written' && quotaBytes !== null && usedBytes >= quotaBytes ? 'quota-full' : outcome;
}

/** The kernel kills a process of the member now, and again as soon as it has grown anew. */
const GROWS_MS = { least: 2_000, most: 5_000 };

function createMemory({ world, random, nodes }: HardwareOptions): Deployment['memory'] {
  const exhausted = new Map<string, () => void>();
  const kills = new Map<string, { readonly incarnation: number; readonly count: number }>();
  const incarnationOf = (member: string): number =>
    nodes.get(member)?.incarnation ?? world.etcd.members.get(member)?.incarnation ?? 0;
  const countOf = (member: string): number => {
    const known = kills.get(member);
    return known?.incarnation === incarnationOf(member) ? known.count : 0;
  };
  const killOne = (member: string): void => {
    const node = nodes.get(member);
    const roles = node?.roles() ?? [];
    const role = roles[below(random, Math.max(1, roles.length))];
    if (node !== undefined && role !== undefined) void node.act('kill', role);
    else if (world.etcd.members.get(member)?.state === 'running') world.etcd.act('kill', member);
    else return;
    kills.set(member, { incarnation: incarnationOf(member), count: countOf(member) + 1 });
  };
  const again = (member: string): void => {
    killOne(member);
    exhausted.set(
      member,
      world.queue.after(someMs(GROWS_MS.least, GROWS_MS.most, random), () => again(member)),
    );
  };
  return {
    exhaust: async (member) => again(member),
    lift: async (member) => {
      exhausted.get(member)?.();
      exhausted.delete(member);
    },
    kills: async (member) => countOf(member),
    missing: async () => undefined,
  };
}
