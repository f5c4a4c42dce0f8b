// A modelled disk and NFS server, served over a socket as process mode does.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createRemoteObject, type RemoteObject } from '../../../src/base/remote-object.ts';
import { createDisk } from '../../../src/hardware/disk.ts';
import { createMemoryNfsServer, type MemoryNfsServer } from '../../../src/nfs/memory.ts';
import { serveBackends } from '../../../src/process/backends-server.ts';
import type { MemoryDisk } from '../../../src/storage/memory.ts';

export interface ServedMemory extends AsyncDisposable {
  /** As a process has it that was started anew. */
  open(object: 'storage' | 'exporter'): RemoteObject;
}

/** `nfs`: default is one of its own. */
export async function serveMemory(
  disk: MemoryDisk,
  nfs: MemoryNfsServer = createMemoryNfsServer(),
): Promise<ServedMemory> {
  const folder = await mkdtemp(join(tmpdir(), 'backends-'));
  const socketPath = join(folder, 'sock');
  const clock = createSystemClock();
  const served = await serveBackends({ clock, socketPath, disk: createDisk(disk), nfs });
  let callers = 0;
  return {
    open: (object) => {
      callers += 1;
      return createRemoteObject({ socketPath, object, caller: String(callers) });
    },
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
