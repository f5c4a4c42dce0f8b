// Any number of simulated nodes in one process: brought up without all of them coming at
// once, and counted.

import { mapConcurrently } from '../base/concurrent.ts';
import type { FleetNode } from './node.ts';

export interface Counts {
  readonly nodes: number;
  readonly on: number;
  readonly registered: number;
  readonly exports: number;
}

export interface Fleet {
  readonly nodes: ReadonlyMap<string, FleetNode>;
  /** It is off, or on already; its power is its own business. */
  add(node: FleetNode): void;
  /** It must be off. */
  remove(name: string): void;
  counts(): Counts;
  /** Shuts all of them down, so many at a time. */
  shutDown(): Promise<void>;
}

const STOPS_AT_ONCE = 256;

export function createFleet(): Fleet {
  const nodes = new Map<string, FleetNode>();
  return {
    nodes,
    add: (node) => void nodes.set(node.name, node),
    remove: (name) => void nodes.delete(name),
    counts: () => {
      let on = 0;
      let registered = 0;
      let exports = 0;
      for (const node of nodes.values()) {
        on += Number(node.isOn);
        registered += Number(node.isRegistered);
        exports += node.exports;
      }
      return { nodes: nodes.size, on, registered, exports };
    },
    shutDown: async () => {
      await mapConcurrently([...nodes.values()], {
        concurrency: STOPS_AT_ONCE,
        each: (node) => node.shutDown(),
      });
    },
  };
}
