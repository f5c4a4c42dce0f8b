// One daemon a node: a lock that the kernel takes back when the process dies,
// however it dies.

import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { RigError } from '../base/errors.ts';

/**
 * Listens on a Unix socket in Linux's abstract namespace (unix(7)): it has no
 * file that could be left behind, and is visible in one network namespace,
 * that is, in one container. Throws `conflict` when another daemon of the same
 * node and volume path runs, `unsupported` where there is no such namespace.
 */
export async function acquireInstanceLock(options: {
  readonly nodeName: string;
  readonly volumePath: string;
}): Promise<AsyncDisposable> {
  const { nodeName, volumePath } = options;
  if (process.platform !== 'linux') {
    throw new RigError('unsupported', `the lock of a daemon needs Linux, not ${process.platform}`);
  }
  // A socket's name holds 107 bytes, a path may be longer.
  const digest = createHash('sha256').update(`${nodeName}\n${volumePath}`).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const message = taken
        ? `another daemon of node ${nodeName} on ${volumePath} runs on this machine`
        : `cannot take the lock of node ${nodeName}: ${error.message}`;
      const next = 'Stop that daemon first, or give this one another node name and volume path.';
      reject(
        new RigError(taken ? 'conflict' : 'io', message, taken ? { next, cause: error } : { cause: error }),
      );
    });
    server.listen({ path: `\0cobalt-${digest}` }, resolve);
  });
  // The lock alone is no reason to stay.
  server.unref();
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
