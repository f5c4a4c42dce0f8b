// One daemon a node, and one a disk: locks that the kernel takes back when the
// process dies, however it dies.

import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { RigError } from '../base/errors.ts';

/**
 * Listens on Unix sockets in Linux's abstract namespace (unix(7)), one named
 * after the node, and one after its volume path: a machine may have nodes of
 * several clusters, whose names are the same. The sockets have no files that could
 * be left behind, and are visible in one network namespace, that is, in one
 * container. Throws `conflict` when another daemon has either, `unsupported`
 * where there is no such namespace.
 */
export async function acquireInstanceLock(options: {
  readonly nodeName: string;
  /** Tell the node's cluster from others. */
  readonly etcdEndpoints: readonly string[];
  readonly volumePath: string;
}): Promise<AsyncDisposable> {
  const { nodeName, etcdEndpoints, volumePath } = options;
  if (process.platform !== 'linux') {
    throw new RigError('unsupported', `the lock of a daemon needs Linux, not ${process.platform}`);
  }
  // Two paths may lead to one disk. One that isn't there (yet) is only a name.
  const disk = await realpath(volumePath).catch(() => resolve(volumePath));
  const locks = new AsyncDisposableStack();
  try {
    locks.use(
      await acquire(['node', nodeName, ...etcdEndpoints.toSorted()].join('\n'), `of node ${nodeName}`),
    );
    locks.use(await acquire(`disk\n${disk}`, `on ${volumePath}`));
  } catch (error) {
    await locks.disposeAsync();
    throw error;
  }
  return locks;
}

async function acquire(what: string, inWords: string): Promise<AsyncDisposable> {
  // A socket's name holds 107 bytes, a path may be longer.
  const digest = createHash('sha256').update(what).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const message = taken
        ? `another daemon ${inWords} runs on this machine`
        : `cannot take the lock of a daemon ${inWords}: ${error.message}`;
      const next = 'Stop that daemon first, or give this one another node name and volume path.';
      reject(
        new RigError(taken ? 'conflict' : 'io', message, taken ? { next, cause: error } : { cause: error }),
      );
    });
    server.listen({ path: `\0cobalt-${digest}` }, () => done());
  });
  // The lock alone is no reason to stay.
  server.unref();
  return {
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  };
}
