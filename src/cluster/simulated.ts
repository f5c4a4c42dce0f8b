// The simulated mode as tests use it: their own code runs in real time, in which
// simulated time stands still but while they await something of the cluster.

import { AsyncLocalStorage } from 'node:async_hooks';
import { RigError } from '../base/errors.ts';
import { watchForReal } from '../base/event-loop.ts';
import type { EventLoop } from '../simulator/drive.ts';
import { createSimulation } from '../simulator/mode.ts';
import type { ClusterMode, Conduct, OpenedMode, OpenModeOptions } from './mode.ts';
import { IDLE_MACHINE, loadRoles, THIS_LOOP, writeFileNow } from './simulation-host.ts';

export const simulated: ClusterMode = { missing: async () => undefined, open: openSimulated };

/** Throws `unsupported` for a system that is an image. */
async function openSimulated({ seed, system, conducts }: OpenModeOptions): Promise<OpenedMode> {
  if (system !== undefined) {
    throw new RigError('unsupported', `a simulated cluster can't be of the image ${system}`, {
      next: 'Leave the system out: it is simulated from these sources.',
    });
  }
  await loadRoles();
  const loop = conducts === 'whole' ? STRICT_LOOP : TOLERANT_LOOP;
  const simulation = createSimulation({ seed, loop, writeFile: writeFileNow });
  return {
    clock: simulation.clock,
    runId: `simulated-${seed}`,
    deploy: simulation.deploy,
    openKv: simulation.openKv,
    conduct: conducts === 'whole' ? marked(wholly(simulation.conduct)) : sharing(wholly(simulation.conduct)),
    machine: IDLE_MACHINE,
    recordedAs: 'simulated',
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** What a test does besides, such as to read a file, is none of the simulation's business. */
const TOLERANT_LOOP: EventLoop = {
  ...THIS_LOOP,
  watchForReal: () => ({ found: () => undefined, [Symbol.dispose]: () => undefined }),
};

/** What is going on as part of simulated work, and not in the same thread besides it, as a test runner's reports do. */
const simulatedWork = new AsyncLocalStorage<true>();

const STRICT_LOOP: EventLoop = {
  ...THIS_LOOP,
  watchForReal: () => watchForReal(() => simulatedWork.getStore() === true),
};

const marked =
  (conduct: Conduct): Conduct =>
  (work) =>
    simulatedWork.run(true, () => conduct(work));

/** With what came of the work. */
const wholly =
  (conduct: (work: () => Promise<void>) => Promise<void>): Conduct =>
  async <T>(work: () => Promise<T>): Promise<T> => {
    const results: T[] = [];
    await conduct(async () => void results.push(await work()));
    return results[0] as T;
  };

/** Time passes from the first piece of work until the last one is done that has begun by then. */
function sharing(conduct: Conduct): Conduct {
  let underWay = 0;
  let end: () => void = () => undefined;
  let broken: Promise<never> = new Promise(() => undefined);
  const begin = (): void => {
    const over = Promise.withResolvers<void>();
    end = over.resolve;
    // Only when the simulation itself fails: it is what everybody awaits then.
    broken = new Promise((_, reject) => void conduct(() => over.promise).catch(reject));
    broken.catch(() => undefined);
  };
  return async (work) => {
    if (underWay === 0) begin();
    underWay += 1;
    try {
      return await Promise.race([work(), broken]);
    } finally {
      underWay -= 1;
      if (underWay === 0) end();
    }
  };
}
