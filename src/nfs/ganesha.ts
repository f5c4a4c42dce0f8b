// The real NFS server: nfs-ganesha, which is told over D-Bus what to export.
// Its exports live in its memory only. After a restart of it there are none,
// and whoever reconciles (the agent) applies them again.

import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrent.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { createSerial } from '../base/serial.ts';
import { checkedVolumeId, isVolumeId } from '../model/names.ts';
import { checkedExport } from './checked.ts';
import { readSpelling, writeWhole } from './export-file.ts';
import { freeExportId } from './export-id.ts';
import type { ActiveExport, Exporter } from './exporter.ts';
import type { ShownExport } from './ganesha-answers.ts';
import { createGaneshaBus, type GaneshaBus } from './ganesha-bus.ts';
import { clientKey, clientsOf, renderExport, rulesOf, type ServedClients } from './ganesha-config.ts';
import { createSubvolumeMounts, type SubvolumeMounts } from './subvolume-mounts.ts';

/** Ganesha answers one after the other, and each has to be answered within its time. */
const CONCURRENT_CALLS = 4;

/**
 * Exports the subvolumes `<root>/volumes/<id>` as `/<id>`, NFSv4 only. Each is
 * mounted at `<exportsRoot>/<id>` (default /srv/exports), its configuration
 * is a file in `configDir` (default /run/ganesha/exports). `timeoutMs` (default
 * 5,000) is for each command and call.
 *
 * A change takes effect with the call: the server checks every request, also
 * on files that are open, against the clients that it holds then.
 */
export function createGaneshaExporter(options: {
  readonly root: string;
  readonly clock: Clock;
  readonly exportsRoot?: string;
  readonly configDir?: string;
  readonly timeoutMs?: number;
}): Exporter {
  const { root, clock, timeoutMs = 5000 } = options;
  const { exportsRoot = '/srv/exports', configDir = '/run/ganesha/exports' } = options;
  const server: Server = {
    bus: createGaneshaBus({ clock, timeoutMs }),
    mounts: createSubvolumeMounts({ root, exportsRoot, timeoutMs }),
    fileOf: (id) => join(configDir, `${id}.conf`),
    // Ganesha names an export by its path, or with Mount_Path_Pseudo by its pseudo path.
    idOf: ({ path }) => {
      const id = basename(path);
      return ['/', exportsRoot].includes(dirname(path)) && isVolumeId(id) ? id : undefined;
    },
  };
  const serial = createSerial();
  /** One after the other: every step reads what the last one left. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> =>
    serial(task).catch((error: unknown) => {
      throw RigError.from(error, { code: 'io' });
    });
  return {
    list: () => inTurn(async () => read(server, await server.bus.show())),
    find: (id) => inTurn(async () => (await read(server, await shownOf(server, checkedVolumeId(id))))[0]),
    apply: (wanted) =>
      inTurn(() => {
        checkedExport(wanted);
        return wanted.rules.length === 0 ? end(server, wanted.id) : apply(server, wanted);
      }),
    remove: (id) => inTurn(() => end(server, checkedVolumeId(id))),
  };
}

/** What the steps below work on. */
interface Server {
  readonly bus: GaneshaBus;
  readonly mounts: SubvolumeMounts;
  /** Where the configuration of a volume's export is. */
  fileOf(id: string): string;
  /** The volume that is exported; undefined for what isn't Cobalt's. */
  idOf(shown: ShownExport): string | undefined;
}

/** What these exports are now, by id. */
async function read(server: Server, shown: readonly ShownExport[]): Promise<readonly ActiveExport[]> {
  const { bus, mounts, fileOf, idOf } = server;
  const findMount = await mounts.look();
  const found = await mapConcurrently(shown, {
    concurrency: CONCURRENT_CALLS,
    each: async (entry): Promise<readonly ActiveExport[]> => {
      const id = idOf(entry);
      const served = id === undefined ? undefined : await clientsIfThere(bus, entry);
      if (id === undefined || served === undefined) return [];
      // An export whose mount is gone serves nobody; it must differ from any
      // that is wanted, so that it is made again, or ended.
      if (findMount(id) === undefined) return [{ id, rules: [] }];
      return [{ id, rules: rulesOf(served, await readSpelling(fileOf(id))) }];
    },
  });
  return found.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function shownOf({ bus, idOf }: Server, id: string): Promise<readonly ShownExport[]> {
  return (await bus.show()).filter((entry) => idOf(entry) === id);
}

/** Undefined if it ended meanwhile. */
async function clientsIfThere(
  bus: GaneshaBus,
  { exportId }: ShownExport,
): Promise<ServedClients | undefined> {
  try {
    return await bus.clients(exportId);
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined;
    throw error;
  }
}

async function apply(server: Server, wanted: ActiveExport): Promise<void> {
  const { bus, mounts, fileOf, idOf } = server;
  const { id } = wanted;
  const shown = await bus.show();
  const found = await mounts.find(id);
  // The server may still export what was mounted here before.
  if (found === undefined) await endThese(server, id, shown);
  const mount = found ?? (await mounts.mount(id));
  const current = found === undefined ? undefined : shown.find((entry) => idOf(entry) === id);
  const others = shown.filter((entry) => idOf(entry) !== id);
  const exportId = current?.exportId ?? freeExportId(mount.subvolumeId ?? 0, others);
  await writeWhole(fileOf(id), renderExport({ wanted, exportId, path: mounts.pathOf(id) }));
  if (current === undefined) await bus.add(fileOf(id), exportId);
  else await bus.update(fileOf(id), exportId);

  // Ganesha answers "1 exports updated" even if it dropped a client that it
  // couldn't read. Rather no export than one that serves others than it should.
  const { clients, foreign } = await bus.clients(exportId);
  const held = [...clients.map(clientKey), ...foreign];
  if (held.join() === clientsOf(wanted.rules).map(clientKey).join()) return;
  await end(server, id);
  throw new RigError('io', `ganesha made of the rules of ${id}: ${held.join(', ') || 'nothing'}`);
}

async function end(server: Server, id: string): Promise<void> {
  await endThese(server, id, await server.bus.show());
}

async function endThese(server: Server, id: string, shown: readonly ShownExport[]): Promise<void> {
  const { bus, mounts, fileOf, idOf } = server;
  for (const entry of shown) if (idOf(entry) === id) await bus.remove(entry.exportId);
  await mounts.unmount(id);
  await rm(fileOf(id), { force: true });
}
