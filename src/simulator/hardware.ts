// What the rig does to a simulated node's hardware and to its daemon's switches
// (rig/deployment.ts: Disks, Clocks, FailpointSwitches, Memory).

import { RigError } from '../base/errors.ts';
import { below, type Random } from '../base/random.ts';
import { ALWAYS_THERE, createModelledDisks } from '../hardware/disks.ts';
import { someMs } from '../hardware/wires.ts';
import { type ActiveCondition, offsetMs } from '../rig/clock/offsets.ts';
import type { Clocks, Deployment } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';
import type { SimulatedNode } from './node.ts';
import type { Switches } from './switches.ts';
import type { World } from './world.ts';

export interface Hardware {
  readonly switches: Switches;
  readonly parts: Pick<Deployment, 'disks' | 'clocks' | 'failpoints' | 'memory'>;
}

export interface HardwareOptions {
  readonly world: World;
  readonly random: Random;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
}

export function createHardware(options: HardwareOptions): Hardware {
  const { world } = options;
  const clocks = createConditions<ActiveCondition>({ ...ALWAYS_THERE, apply: async () => undefined });
  const failpoints = createConditions<string>({ ...ALWAYS_THERE, apply: async () => undefined });
  const nowMs = (): number => world.rig.clock.nowMs();
  return {
    switches: {
      aheadMs: (node) => offsetMs(clocks.of(node), nowMs()),
      failpoints: (node) => failpoints.of(node).join(';'),
    },
    parts: {
      disks: createModelledDisks({ clock: world.rig.clock, nodes: options.nodes }),
      clocks: {
        set: (key, node, condition) => clocks.set(key, node, condition && { condition, sinceMs: nowMs() }),
        expectedMs: (node, exceptKey) => offsetMs(clocks.of(node, exceptKey), nowMs()),
        read: async (node) => readClock(options, node),
        missing: async () => undefined,
      },
      failpoints: {
        set: failpoints.set,
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
