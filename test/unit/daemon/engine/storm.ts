// What goes wrong around an engine: agents fail, transfers fail or don't end, disks break and are mended, nodes die,
// come back, and are drained for a while.

import fc from 'fast-check';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { delayed, failed, MOVE_FAILED_PREFIX } from '../../../../src/model/changes.ts';
import { isOnItsWay, type Volume } from '../../../../src/model/volume.ts';
import { AGENT } from './support.ts';

export interface Storm {
  /** How long it lasts. */
  readonly rounds: number;
  /** The nodes and specs one round later. */
  shaken(now: ClusterState): Pick<ClusterState, 'nodes' | 'specs'>;
  /** What comes of an agent's work, which would have made `next` of the volume; null: gone. */
  outcome(volume: Volume, next: Volume | null): Volume | null;
}

const DISKS = ['ok', 'ok', 'full', 'read-only', 'failing'] as const;
const CAN_FAIL: readonly Volume['state'][] = ['scheduling', 'resizing', 'cloning', 'rewriting', 'moving'];

export interface StormPlan {
  readonly rounds: number;
  readonly dice: Iterator<number>;
}

export const stormPlans: fc.Arbitrary<StormPlan> = fc.record({
  rounds: fc.integer({ min: 5, max: 40 }),
  dice: fc.infiniteStream(fc.nat(999)),
});

export function createStorm({ rounds, dice }: StormPlan, start: ClusterState): Storm {
  const roll = (sides: number): number => Number(dice.next().value) % sides;
  const pick = <T>(from: readonly T[]): T | undefined => from[roll(Math.max(1, from.length))];
  const shakenNode = ({ nodes, specs }: ClusterState): Pick<ClusterState, 'nodes' | 'specs'> => {
    const victim = pick(start.nodes);
    if (victim === undefined) return { nodes, specs };
    const { name } = victim;
    const others = nodes.filter((node) => node.name !== name);
    const disk = pick(DISKS) ?? 'ok';
    const spec = specs.get(name);
    switch (roll(4)) {
      case 0:
        return { nodes: others, specs };
      case 1:
        return { nodes: [...others, victim], specs };
      case 2:
        return { nodes: [...others, { ...victim, disk: { state: disk, reason: null } }], specs };
      default:
        return spec === undefined
          ? { nodes, specs }
          : { nodes, specs: new Map([...specs, [name, { ...spec, draining: !spec.draining }]]) };
    }
  };
  return {
    rounds,
    shaken: (now) => (roll(2) === 0 ? now : shakenNode(now)),
    outcome: (volume, next) => {
      const luck = roll(4);
      // It was slow, or doesn't end at all.
      if (luck === 0) return volume;
      if (luck !== 1 || !CAN_FAIL.includes(volume.state)) return next;
      if (!isOnItsWay(volume)) return volume.state === 'moving' ? volume : failed(volume, 'io', AGENT);
      return roll(4) === 0 ? failed(volume, 'io', AGENT) : delayed(volume, `${MOVE_FAILED_PREFIX}io`, AGENT);
    },
  };
}
