// The model of a node's NFS server, for the simulator, process mode and unit
// tests. The server is an object of its own that outlives any daemon using it;
// as with the real one, its exports do not outlive the server.

import { RigError } from '../base/errors.ts';
import type { ExportRule } from '../model/export.ts';
import { checkedVolumeId } from '../model/names.ts';
import { checkedExport } from './checked.ts';
import type { Exporter } from './exporter.ts';

export interface MemoryNfsServer {
  /** While false every call throws `unavailable`. */
  up: boolean;
  readonly exports: Map<string, readonly ExportRule[]>;
}

export function createMemoryNfsServer(): MemoryNfsServer {
  return { up: true, exports: new Map() };
}

/** The server dies, and with it its exports: they are configured at run time only. */
export function killMemoryNfsServer(server: MemoryNfsServer): void {
  server.up = false;
  server.exports.clear();
}

export interface MemoryExporter extends Exporter {
  readonly server: MemoryNfsServer;
  /** Makes the next call of this name throw `error` (default: `io`) without doing anything. */
  failNext(call: keyof Exporter, error?: RigError): void;
}

/**
 * Works on `server`, or on a new one. `hasVolume` says what is on the disk: to
 * export anything else is `io`, as it is on a real one (default: all is there).
 */
export function createMemoryExporter(
  options: { readonly server?: MemoryNfsServer; readonly hasVolume?: (id: string) => boolean } = {},
): MemoryExporter {
  const server = options.server ?? createMemoryNfsServer();
  const hasVolume = options.hasVolume ?? (() => true);
  const failures: { readonly call: keyof Exporter; readonly error: RigError }[] = [];

  const perform = async <T>(call: keyof Exporter, effect: () => T): Promise<T> => {
    const index = failures.findIndex((failure) => failure.call === call);
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
    if (!server.up) throw new RigError('unavailable', 'the NFS server is not up');
    return effect();
  };

  return {
    server,
    failNext: (call, error = new RigError('io', `${call} failed on demand`)) => {
      failures.push({ call, error });
    },
    list: () =>
      perform('list', () =>
        [...server.exports].map(([id, rules]) => ({ id, rules })).sort((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    find: (id) =>
      perform('find', () => {
        const rules = server.exports.get(checkedVolumeId(id));
        return rules === undefined ? undefined : { id, rules };
      }),
    apply: (wanted) =>
      perform('apply', () => {
        const { id, rules } = checkedExport(wanted);
        if (rules.length === 0) {
          server.exports.delete(id);
          return;
        }
        if (!hasVolume(id)) throw new RigError('io', `there is no subvolume ${id} to export`);
        server.exports.set(id, [...rules]);
      }),
    remove: (id) =>
      perform('remove', () => {
        server.exports.delete(checkedVolumeId(id));
      }),
  };
}
