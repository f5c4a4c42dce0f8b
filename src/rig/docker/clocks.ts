// The wall clocks of nodes' daemons, set wrong through a file in their containers
// (src/rig/clock) and read from outside.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { type ActiveCondition, CONDITIONS_FILE, offsetMs } from '../clock/offsets.ts';
import { readClock } from '../clock/reading.ts';
import type { Clocks } from '../deployment.ts';
import { createConditions } from '../keyed-conditions.ts';
import type { Containers } from './containers.ts';

/** Whole or not at all: the clock's keeper reads it all the time. */
const WRITE = ['sh', '-c', 'printf %s "$1" >"$2.new" && mv "$2.new" "$2"', 'sh'];

export interface ContainerClocks extends Clocks {
  /** Puts in force again what a node that was started since has lost. */
  refresh(node: string): Promise<void>;
}

export function createClocks(options: {
  readonly containers: Containers;
  readonly clock: Clock;
  /** Base URL of a node's API. */
  readonly api: (node: string) => Promise<string>;
}): ContainerClocks {
  const { containers, clock, api } = options;
  const conditions = createConditions<ActiveCondition>({
    state: containers.state,
    apply: async (node, active) => {
      const command = [...WRITE, JSON.stringify(active), CONDITIONS_FILE];
      const { exitCode, stderr } = await containers.exec(node, command);
      if (exitCode !== 0) throw new RigError('machine', `cannot set the clock of ${node}: ${stderr.trim()}`);
    },
  });

  return {
    set: (key, node, condition) =>
      conditions.set(key, node, condition && { condition, sinceMs: clock.nowMs() }),
    expectedMs: (node, exceptKey) => offsetMs(conditions.of(node, exceptKey), clock.nowMs()),
    refresh: conditions.refresh,
    read: async (node) => readClock(clock, await api(node)),
    missing: async () => undefined,
  };
}
