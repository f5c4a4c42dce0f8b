// Which faults a chaos run is made of: how often each kind is drawn, and with what.
//
// Left out: `quota-full` (volumes of a workload have no names in the script), `node-added`
// and `node-removed` (a plan's topology stays as it is), `rolling-upgrade` (there is one
// image) and `failpoint` (which ends a process in ways that `kill` has, too).

import { between, inPercent, oneOf } from '../../base/choose.ts';
import type { Random } from '../../base/random.ts';
import { ROLES } from '../../model/volume.ts';
import type { FaultName, FaultSpec } from '../faults/spec.ts';
import type { TopologyNode } from '../topology.ts';

/** Who there is to be hit. */
export interface Place {
  readonly nodes: readonly TopologyNode[];
  readonly etcd: readonly string[];
}

interface Dish {
  /** Against the others. */
  readonly weight: number;
  /** Undefined: nobody here can be hit by it. */
  readonly draw: (place: Place, random: Random) => FaultSpec | undefined;
}

export const MENU: { readonly [Name in FaultName]?: Dish } = {
  kill: { weight: 8, draw: (place, random) => halting('kill', place, random) },
  stop: { weight: 4, draw: (place, random) => halting('stop', place, random) },
  pause: { weight: 8, draw: (place, random) => halting('pause', place, random) },
  restart: {
    weight: 3,
    draw: (place, random) => on(anyMember(place, random), (on) => ({ fault: 'restart', on })),
  },
  'out-of-memory': {
    weight: 1,
    draw: (place, random) => on(anyNode(place, random), (on) => ({ fault: 'out-of-memory', on })),
  },
  partition: { weight: 6, draw: (place, random) => partition(place, random) },
  cut: {
    weight: 4,
    draw: (place, random) => {
      const from = anyNode(place, random);
      const to = oneOf(
        members(place).filter((name) => name !== from),
        random,
      );
      if (from === undefined || to === undefined) return undefined;
      return { fault: 'cut', from, to, oneWay: inPercent(50, random) };
    },
  },
  loss: {
    weight: 3,
    draw: (place, random) =>
      on(anyMember(place, random), (on) => ({ fault: 'loss', on, percent: 5 * between(1, 6, random) })),
  },
  latency: {
    weight: 4,
    draw: (place, random) =>
      on(anyMember(place, random), (on) => {
        // Well above what a busy machine adds by itself.
        const delayMs = 20 * between(5, 15, random);
        return { fault: 'latency', on, delayMs, jitterMs: Math.floor(delayMs / between(2, 5, random)) };
      }),
  },
  bandwidth: {
    weight: 3,
    draw: (place, random) =>
      on(anyNode(place, random), (on) => ({
        fault: 'bandwidth',
        on,
        kbitPerSecond: 500 * between(1, 10, random),
      })),
  },
  reset: {
    weight: 2,
    draw: (place, random) => on(anyMember(place, random), (on) => ({ fault: 'reset', on })),
  },
  'half-open': {
    weight: 2,
    draw: (place, random) => on(anyMember(place, random), (on) => ({ fault: 'half-open', on })),
  },
  'clock-offset': {
    weight: 2,
    draw: (place, random) =>
      on(withOwnClock(place, random), (on) => ({
        fault: 'clock-offset',
        on,
        offsetMs: between(5, 600, random) * (inPercent(50, random) ? 1_000 : -1_000),
      })),
  },
  'clock-jump': {
    weight: 2,
    draw: (place, random) =>
      on(withOwnClock(place, random), (on) => ({
        fault: 'clock-jump',
        on,
        spanMs: 1_000 * between(10, 300, random),
      })),
  },
  'clock-drift': {
    weight: 1,
    // Slow enough to be worth it, fast enough to show within a few seconds.
    draw: (place, random) =>
      on(withOwnClock(place, random), (on) => ({
        fault: 'clock-drift',
        on,
        rate: inPercent(50, random) ? 3 : 0.2,
      })),
  },
  'disk-full': {
    weight: 2,
    draw: (place, random) => on(anyNode(place, random), (on) => ({ fault: 'disk-full', on })),
  },
  'disk-read-only': {
    weight: 2,
    draw: (place, random) => on(anyNode(place, random), (on) => ({ fault: 'disk-read-only', on })),
  },
  'disk-errors': {
    weight: 2,
    draw: (place, random) => on(withBreakableDisk(place, random), (on) => ({ fault: 'disk-errors', on })),
  },
  'disk-slow': {
    weight: 2,
    draw: (place, random) =>
      on(withBreakableDisk(place, random), (on) => ({
        fault: 'disk-slow',
        on,
        kbitPerSecond: 2_000 * between(1, 10, random),
      })),
  },
  'etcd-data-loss': {
    weight: 2,
    draw: ({ etcd }, random) =>
      etcd.length < 3 ? undefined : on(oneOf(etcd, random), (on) => ({ fault: 'etcd-data-loss', on })),
  },
  'etcd-compaction': {
    weight: 2,
    draw: (_, random) => ({ fault: 'etcd-compaction', everyMs: 250 * between(1, 8, random) }),
  },
  'lease-revoked': {
    weight: 3,
    draw: (place, random) =>
      on(anyNode(place, random), (on) => ({ fault: 'lease-revoked', on, role: 'agent' })),
  },
  'rolling-restart': { weight: 1, draw: () => ({ fault: 'rolling-restart' }) },
  'engine-demotion': { weight: 2, draw: () => ({ fault: 'engine-demotion' }) },
};

const names = (nodes: readonly TopologyNode[]): readonly string[] => nodes.map(({ name }) => name);
const members = ({ nodes, etcd }: Place): readonly string[] => [...names(nodes), ...etcd];

const anyNode = ({ nodes }: Place, random: Random): string | undefined => oneOf(names(nodes), random);

/** A node twice as likely as a member of etcd. */
const anyMember = (place: Place, random: Random): string | undefined =>
  inPercent(67, random) ? anyNode(place, random) : oneOf(place.etcd, random);

const withOwnClock = ({ nodes }: Place, random: Random): string | undefined =>
  oneOf(names(nodes.filter(({ clock }) => clock === 'own')), random);

const withBreakableDisk = ({ nodes }: Place, random: Random): string | undefined =>
  oneOf(names(nodes.filter(({ disk }) => disk === 'breakable')), random);

const on = (name: string | undefined, spec: (name: string) => FaultSpec): FaultSpec | undefined =>
  name === undefined ? undefined : spec(name);

/** Half of those that hit a node hit one role of it alone. */
function halting(fault: 'kill' | 'stop' | 'pause', place: Place, random: Random): FaultSpec | undefined {
  const member = anyMember(place, random);
  if (member === undefined) return undefined;
  // A frozen disk holds up the kernel, and with it whoever mounts one on the same machine.
  const isBreakable = place.nodes.some(({ name, disk }) => name === member && disk === 'breakable');
  if (fault === 'pause' && isBreakable) return undefined;
  const role = place.etcd.includes(member) || inPercent(50, random) ? undefined : oneOf(ROLES, random);
  return { fault, on: member, ...(role !== undefined && { role }) };
}

function partition(place: Place, random: Random): FaultSpec | undefined {
  const all = members(place);
  const shape = oneOf(['isolate', 'halves', 'bridge', 'majorities-ring'] as const, random);
  if (shape === undefined) return undefined;
  if (shape === 'majorities-ring') return { fault: 'partition', shape, on: all };
  const some =
    shape === 'halves' ? all.filter(() => inPercent(50, random)) : [anyMember(place, random) ?? ''];
  return some.length === 0 || some.length === all.length
    ? undefined
    : { fault: 'partition', shape, on: some };
}
