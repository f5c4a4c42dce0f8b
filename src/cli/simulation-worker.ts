// A thread that simulates, one run at a time, and has nothing else to do meanwhile.

import { parentPort } from 'node:worker_threads';
import { RigError } from '../base/errors.ts';
import { saveCompiled } from './compile-cache.ts';
import { type SimulationRequest, type SimulationResult, simulate } from './simulation.ts';

/** An error without its class, which no message carries. */
export type SimulationAnswer =
  | { readonly done: SimulationResult }
  | { readonly failed: Pick<RigError, 'code' | 'message' | 'next'> };

let isSaved = false;

parentPort?.on('message', async (request: SimulationRequest) => {
  const answer: SimulationAnswer = await simulate(request).then(
    (done) => ({ done }),
    (error: unknown) => {
      const { code, message, next } = RigError.from(error, { code: 'machine' });
      return { failed: { code, message, next } };
    },
  );
  // A thread that is ended from outside doesn't do so by itself.
  if (!isSaved) saveCompiled();
  isSaved = true;
  parentPort?.postMessage(answer);
});
