// The simulated mode: one cluster, in one thread, in a time of its own.
//
// Where it is simpler than a cluster in containers:
// - etcd is one store behind its members (kv/memory.ts, etcd.ts): no member lags, and a change of the leader breaks
//   every watch;
// - connections are TCP's: what is sent on one arrives in order and once, however late; what goes by different ones
//   overtakes. What comes twice is what somebody sends twice: reads and renewals at the next member of etcd (kv.ts), an
//   agent that has heard no answer, and calls between nodes that are repeated on the way (repeats.ts). No write to etcd
//   is: gRPC sends nothing again that may have left, so that a lost answer is all that can happen to it. Nor are the
//   calls of the rig's own clients: what is done twice for one call is no single change, and no history explains it;
// - files are names, sizes and digests: a move sends these, so that it takes no longer for a large volume;
// - all processes of a node, and all nodes, have the processor to themselves: nothing is slow but what is told to be;
// - a process that dies does so between two events, that is, at any of its awaits; kills aim at those at which it is
//   about to change something (aim.ts);
// - the API is called without HTTP (api-calls.ts), so that its limits of size and rate are not there;
// - there are no images: a rolling upgrade is to what there is.

import type { Clock } from '../base/clock.ts';
import type { RunOptions } from '../rig/run.ts';
import { deploySimulated, type SimulatedOptions } from './deployment.ts';
import { drive, type EventLoop } from './drive.ts';
import { createProcess } from './process.ts';
import { createQueue } from './queue.ts';
import { createWorld, observingKv, type World } from './world.ts';

export interface Simulation extends Required<Pick<RunOptions, 'clock' | 'deploy' | 'openKv' | 'conduct'>> {
  /** Simulated milliseconds so far, and events. */
  readonly elapsed: () => { readonly ms: number; readonly events: number };
}

/** For one run. The seed decides all that the run's own doesn't. */
export function createSimulation(options: {
  readonly seed: number;
  readonly loop: EventLoop;
  readonly writeFile: SimulatedOptions['writeFile'];
}): Simulation {
  const queue = createQueue();
  const clock = neverTheSame(createProcess(queue).clock);
  let world: World | undefined;
  return {
    clock,
    deploy: async ({ topology, runId, absentAtStart }) => {
      world = createWorld(queue, options.seed, topology);
      return deploySimulated({ world, topology, runId, absentAtStart, writeFile: options.writeFile });
    },
    openKv: (endpoints) => {
      if (world === undefined) throw new Error('nothing is deployed yet');
      return observingKv(
        world,
        endpoints.map((endpoint) => new URL(endpoint).hostname),
      );
    },
    conduct: (experiment) => drive(queue, options.loop, experiment),
    elapsed: () => ({ ms: queue.nowMs, events: queue.taken }),
  };
}

/** What a run's record tells apart (rig/journal.ts). */
const LEAST_STEP_MS = 0.1;

/**
 * The rig's clock: it never shows the same time twice, for of two calls with no time between them nobody could
 * tell from the record which was first.
 */
function neverTheSame(clock: Clock): Clock {
  let shownMs = Number.NEGATIVE_INFINITY;
  return {
    ...clock,
    monotonicMs: () => {
      shownMs = Math.max(clock.monotonicMs(), shownMs + LEAST_STEP_MS);
      return shownMs;
    },
  };
}
