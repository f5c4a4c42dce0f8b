// Simulates on all cores, a thread each.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RigError } from '../base/errors.ts';
import { createSerial } from '../base/serial.ts';
import type { SimulationRequest, SimulationResult } from './simulation.ts';
import type { SimulationAnswer } from './simulation-worker.ts';
import { growYoungHeap } from './young-heap.ts';

export interface SimulationPool extends AsyncDisposable {
  readonly size: number;
  /**
   * On one of `size` threads, counted from 0, once it has done what it was asked before: two runs that share a thread
   * would be something real to each other. Rejects as {@link simulate} does.
   */
  run(thread: number, request: SimulationRequest): Promise<SimulationResult>;
}

export function openPool(most: number): SimulationPool {
  growYoungHeap();
  const size = Math.max(1, Math.min(most, availableParallelism()));
  const workers = Array.from({ length: size }, () => ({
    worker: new Worker(join(import.meta.dirname, `simulation-thread${extname(import.meta.filename)}`)),
    inTurn: createSerial(),
  }));
  return {
    size,
    run: async (thread, request) => {
      const found = workers[thread];
      if (found === undefined) throw new RigError('internal', `there is no thread ${thread}`);
      const { worker, inTurn } = found;
      const answer = await inTurn(async () => {
        worker.postMessage(request);
        const [first] = (await once(worker, 'message')) as [SimulationAnswer];
        return first;
      });
      if ('done' in answer) return answer.done;
      const { code, message, next } = answer.failed;
      throw new RigError(code, message, next === undefined ? {} : { next });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
