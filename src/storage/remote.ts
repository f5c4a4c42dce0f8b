// A disk that is modelled in another process, so that it outlives the daemon's own: what
// a node has on a machine without BTRFS of its own (`process` mode). The model, with all
// that it checks, is storage/memory.ts, on the other side of the socket.

import type { RemoteObject } from '../base/remote-object.ts';
import type { DiskHealth } from '../model/node.ts';
import type { Copy, DiskBinding, DiskSpace, Storage, Subvolume } from './storage.ts';

export function createRemoteStorage({ call, read, write }: RemoteObject): Storage {
  const ask = async <T>(method: keyof Storage, args: readonly unknown[] = [], signal?: AbortSignal) =>
    (await call(method, args, signal)) as T;
  return {
    space: () => ask<DiskSpace>('space'),
    list: () => ask<readonly Subvolume[]>('list'),
    find: (id) => ask<Subvolume | undefined>('find', [id]),
    create: (options) => ask('create', [options]),
    setQuota: (options) => ask('setQuota', [options]),
    clone: (options) => ask('clone', [options]),
    rewrite: ({ signal, ...options }) => ask('rewrite', [options], signal),
    copies: () => ask<readonly Copy[]>('copies'),
    freeze: (copy) => ask('freeze', [copy]),
    send: (copy, options = {}) => read('send', [copy, options]),
    receive: (copy, stream) => write('receive', [copy], stream),
    digest: (copy, signal) => ask<string>('digest', [copy], signal),
    adopt: (copy, options) => ask('adopt', [copy, options]),
    discard: (copy) => ask('discard', [copy]),
    health: () => ask<DiskHealth>('health'),
    trash: (id) => ask('trash', [id]),
    purgeTrash: (options) => ask<number>('purgeTrash', [options]),
    binding: () => ask<DiskBinding | null>('binding'),
    bind: (binding) => ask('bind', [binding]),
  };
}
