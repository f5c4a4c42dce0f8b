// Nodes that are to be taken away, each from the moment when that is declared until it is
// forgotten.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { FleetWorld } from './agent.ts';
import type { Cluster } from './cluster.ts';
import { changeCluster } from './cluster-file.ts';
import type { Fleet } from './fleet.ts';
import { drain, forget, isEmpty } from './leave.ts';
import { createShared } from './shared-call.ts';

const LOOK_MS = 500;

export interface Leaving {
  /** Begins with those that are new. */
  follow(cluster: Cluster): void;
  /** Stops; those that haven't left yet go on when the cluster runs again. */
  idle(): Promise<void>;
}

export function createLeaving(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly world: FleetWorld;
  readonly fleet: Fleet;
  readonly removeDisk: (name: string) => Promise<void>;
  readonly onProgress: (what: string) => void;
}): Leaving {
  const { folder, clock, world, fleet, removeDisk, onProgress } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const underWay = new Map<string, Promise<void>>();
  const gone = new Set<string>();
  const strike = createShared(async () => {
    await changeCluster(folder, clock, (cluster) => ({
      ...cluster,
      nodes: cluster.nodes.filter(({ name }) => !gone.has(name)),
    }));
  });
  const leave = async (name: string, how: 'drained' | 'at-once'): Promise<void> => {
    while (how === 'drained') {
      await drain(world, name);
      if (await isEmpty(world, name)) break;
      await clock.sleep(LOOK_MS, signal);
    }
    await fleet.nodes.get(name)?.shutDown();
    if (!(await forget(world, name))) onProgress(`${name} has gone with the volumes on it`);
    await removeDisk(name);
    gone.add(name);
    await strike();
  };
  const leaveInTheEnd = async (name: string, how: 'drained' | 'at-once'): Promise<void> => {
    while (!signal.aborted) {
      try {
        await leave(name, how);
        return;
      } catch (error) {
        if (!hasCode(error, 'unavailable', 'timeout', 'aborted')) throw error;
        await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      }
    }
  };
  return {
    follow: ({ nodes }) => {
      for (const { name, leaving } of nodes) {
        if (leaving === 'no' || underWay.has(name)) continue;
        const task = leaveInTheEnd(name, leaving)
          .catch((error: unknown) => onProgress(`${name} can't leave: ${RigError.from(error).message}`))
          .finally(() => underWay.delete(name));
        underWay.set(name, task);
      }
    },
    idle: async () => {
      stopping.abort();
      await Promise.all(underWay.values());
    },
  };
}
