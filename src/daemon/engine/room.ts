// How much may still be reserved on each live node, kept up while a plan is made. In whole
// bytes: 0.1 and 0.2 GiB must fit into 0.3.

import { gibToBytes } from '../../base/units.ts';
import type { Labels } from '../../model/names.ts';
import { reservedBytes } from '../../model/volume.ts';
import type { ClusterState } from './state.ts';

export interface NodeRoom {
  readonly name: string;
  readonly labels: Labels;
  readonly draining: boolean;
  /** Capacity minus everything reserved; negative when the capacity was lowered. */
  readonly freeBytes: number;
  /** What the disk itself has free, whatever is reserved. */
  readonly availableBytes: number;
}

export interface Room {
  /** A live node; undefined while it is away. */
  node(name: string): NodeRoom | undefined;
  /** Live nodes that take new volumes. */
  schedulable(): readonly NodeRoom[];
  take(name: string, bytes: number): void;
}

/** Volumes count on the node they are on or are to be created on, deleting ones included. */
export function createRoom({ volumes, nodes, specs }: ClusterState): Room {
  const rooms = new Map(
    nodes.map((node) => {
      // What was persisted at the first start wins over what the agent says now (design.md).
      const spec = specs.get(node.name);
      return [
        node.name,
        {
          name: node.name,
          labels: spec?.labels ?? node.labels,
          draining: spec?.draining ?? false,
          freeBytes: gibToBytes(spec?.capacity ?? node.capacity),
          availableBytes: gibToBytes(node.available),
        },
      ];
    }),
  );
  const take = (name: string, bytes: number): void => {
    const room = rooms.get(name);
    if (room !== undefined) room.freeBytes -= bytes;
  };
  for (const volume of volumes) {
    if (volume.node !== null) take(volume.node, reservedBytes(volume));
  }
  return {
    node: (name) => rooms.get(name),
    schedulable: () => [...rooms.values()].filter(({ draining }) => !draining),
    take,
  };
}
