// Simulates on all cores, a thread each.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RigError } from '../base/errors.ts';
import type { SimulationRequest, SimulationResult } from './simulation.ts';
import type { SimulationAnswer } from './simulation-worker.ts';
import { growYoungHeap } from './young-heap.ts';

export interface SimulationPool extends AsyncDisposable {
  readonly size: number;
  /** One at a time on each of `size` threads; `thread` counts them from 0. Rejects as {@link simulate} does. */
  run(thread: number, request: SimulationRequest): Promise<SimulationResult>;
}

export function openPool(most: number): SimulationPool {
  growYoungHeap();
  const size = Math.max(1, Math.min(most, availableParallelism()));
  const workers = Array.from(
    { length: size },
    () => new Worker(join(import.meta.dirname, `simulation-worker${extname(import.meta.filename)}`)),
  );
  return {
    size,
    run: async (thread, request) => {
      const worker = workers[thread];
      if (worker === undefined) throw new RigError('internal', `there is no thread ${thread}`);
      worker.postMessage(request);
      const [answer] = (await once(worker, 'message')) as [SimulationAnswer];
      if ('done' in answer) return answer.done;
      const { code, message, next } = answer.failed;
      throw new RigError(code, message, next === undefined ? {} : { next });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
