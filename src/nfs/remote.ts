// An NFS server that is modelled in another process (storage/remote.ts): nfs/memory.ts,
// on the other side of the socket.

import type { RemoteObject } from '../base/remote-object.ts';
import type { ActiveExport, Exporter } from './exporter.ts';

export function createRemoteExporter({ call }: RemoteObject): Exporter {
  const ask = async <T>(method: keyof Exporter, args: readonly unknown[] = []) =>
    (await call(method, args)) as T;
  return {
    list: () => ask<readonly ActiveExport[]>('list'),
    find: (id) => ask<ActiveExport | undefined>('find', [id]),
    apply: (wanted) => ask('apply', [wanted]),
    remove: (id) => ask('remove', [id]),
  };
}
