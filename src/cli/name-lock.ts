// One process of this machine at a time does something under a name, wherever it is called. A socket
// in Linux' abstract namespace: nothing is left of it, however its process ends.

import { createServer, type Server } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { waitFor } from '../base/retry.ts';

/** What the first of two may take to start a cluster. */
const FREE_WITHIN_MS = 120_000;

/** Waits for its turn; throws `timeout` where another process doesn't end. Elsewhere than on Linux nobody waits. */
export async function lockName(options: {
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Disposable> {
  const { name, clock, signal } = options;
  if (process.platform !== 'linux') return { [Symbol.dispose]: () => undefined };
  const server = await waitFor({
    clock,
    signal,
    what: `another rig to be done with '${name}'`,
    timeoutMs: FREE_WITHIN_MS,
    probe: () => take(`\0cobalt-rig ${name}`),
    describe: () => 'it is at it',
  });
  return { [Symbol.dispose]: () => void server.close() };
}

/** Undefined when somebody has it. */
function take(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server.unref()));
  });
}
