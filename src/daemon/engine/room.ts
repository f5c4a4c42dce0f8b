// How much may still be reserved on each live node, kept up while a plan is made. In whole
// bytes: 0.1 and 0.2 GiB must fit into 0.3.

import { bytesToGib, gibToBytes } from '../../base/units.ts';
import { type Labels, satisfies } from '../../model/names.ts';
import { constrainableLabels, type DiskHealth, type Node } from '../../model/node.ts';
import { reservationsOf } from '../../model/volume.ts';
import { createRanking, type Ranking } from './ranking.ts';
import type { ClusterState } from './state.ts';

const LEAST_LEFT_BYTES = 64 * 1024 ** 2;
const LEAST_LEFT_SHARE = 0.01;

export interface NodeRoom {
  readonly name: string;
  /** Those that constraints are held against. */
  readonly labels: Labels;
  readonly draining: boolean;
  readonly disk: DiskHealth['state'];
  readonly capacityBytes: number;
  /** Capacity minus everything reserved; negative when the capacity was lowered. */
  readonly freeBytes: number;
  /** What the disk itself has free before it counts as full, whatever is reserved. */
  readonly availableBytes: number;
}

/** What a volume needs of a node. */
export interface Wish {
  readonly bytes: number;
  readonly constraints: Labels;
  /** Not this node; null: any. */
  readonly except: string | null;
  /** Nor these. Default: none. */
  readonly avoid?: ReadonlySet<string>;
}

export interface Room {
  /** A live node; undefined while it is away. */
  node(name: string | null): NodeRoom | undefined;
  /** It is away, and forgotten: it could only come back as a new one, whose disk is nobody's. */
  isLost(name: string): boolean;
  /** Live nodes that take volumes. */
  readonly schedulable: readonly NodeRoom[];
  /** The best node for it; undefined when there is none. Takes nothing. */
  find(wish: Wish): string | undefined;
  /** Why there is none. */
  whyNone(wish: Wish): string;
  take(name: string, bytes: number): void;
}

/** Volumes count on the node they are on or are to be created on, deleting ones included. */
export function createRoom({ volumes, nodes, specs }: ClusterState): Room {
  const rooms = new Map(
    nodes.map((node) => {
      // What was persisted at the first start wins over what the agent says now.
      const spec = specs.get(node.name);
      const capacityBytes = gibToBytes(spec?.capacity ?? node.capacity);
      return [
        node.name,
        {
          name: node.name,
          labels: constrainableLabels(spec?.labels ?? node.labels, node),
          draining: spec?.draining ?? false,
          disk: node.disk.state,
          capacityBytes,
          freeBytes: capacityBytes,
          availableBytes: Math.max(0, gibToBytes(node.available) - marginBytes(node, capacityBytes)),
        },
      ];
    }),
  );
  const take = (name: string, bytes: number): void => {
    const room = rooms.get(name);
    if (room !== undefined) room.freeBytes -= bytes;
  };
  for (const volume of volumes) {
    for (const { node, bytes } of reservationsOf(volume)) take(node, bytes);
  }
  const schedulable = [...rooms.values()].filter(isSchedulable);
  const rankingFor = createRankings(schedulable);
  return {
    node: (name) => (name === null ? undefined : rooms.get(name)),
    schedulable,
    isLost: (name) => !rooms.has(name) && !specs.has(name),
    find: ({ bytes, constraints, except, avoid }) => rankingFor(constraints).find(bytes, except, avoid)?.name,
    whyNone: ({ bytes, constraints, except }) => {
      const own = except === null ? undefined : rooms.get(except);
      const isOwnEligible = own !== undefined && isSchedulable(own) && satisfies(own.labels, constraints);
      const others = rankingFor(constraints).size - (isOwnEligible ? 1 : 0);
      const node = own === undefined ? 'no live node' : 'no other live node';
      // Without figures that change with every other volume: each change would be a write.
      return others === 0
        ? `${node} satisfies the constraints`
        : `${node} that satisfies the constraints has ${gibText(bytes)} GiB free`;
    },
    take,
  };
}

/**
 * What must be left on a disk that isn't to be full (model/node.ts). How large the disk is the node doesn't say: at
 * least as large as what it may give away, or as what is free, and mostly not much larger.
 */
function marginBytes(node: Node, capacityBytes: number): number {
  const leastTotalBytes = Math.max(capacityBytes, gibToBytes(node.capacity), gibToBytes(node.available));
  return Math.max(LEAST_LEFT_BYTES, LEAST_LEFT_SHARE * leastTotalBytes);
}

/** As people read it. */
export function gibText(bytes: number): string {
  return String(Number(bytesToGib(bytes).toFixed(3)));
}

export function isSchedulable({ draining, disk }: NodeRoom): boolean {
  return !draining && disk === 'ok';
}

/** A copy begins with a snapshot, which is a write. */
export function canBeLeft({ disk }: NodeRoom): boolean {
  return disk !== 'read-only';
}

/** The same for the same constraints, in whatever order. */
export function constraintsKey(constraints: Labels): string {
  return JSON.stringify(Object.entries(constraints).sort());
}

/** One ranking for each set of constraints, made when it is first asked for. */
function createRankings(rooms: readonly NodeRoom[]): (constraints: Labels) => Ranking<NodeRoom> {
  const rankings = new Map<string, Ranking<NodeRoom>>();
  return (constraints) => {
    const key = constraintsKey(constraints);
    const known = rankings.get(key);
    if (known !== undefined) return known;
    const ranking = createRanking(rooms.filter(({ labels }) => satisfies(labels, constraints)));
    rankings.set(key, ranking);
    return ranking;
  };
}
