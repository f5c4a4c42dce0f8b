// The real NFS server: nfs-ganesha, which is told over D-Bus what to export.
// Its exports live in its memory only. After a restart of it there are none,
// and whoever reconciles (the agent) applies them again.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { ExportRule } from '../model/export.ts';
import { checkedExport, checkedId } from './checked.ts';
import type { ActiveExport, Exporter } from './exporter.ts';
import { createGaneshaBus } from './ganesha-bus.ts';
import { clientKey, clientsOf, renderExport, rulesOf, spelledRules } from './ganesha-config.ts';
import type { ShownExport } from './ganesha-output.ts';
import { createSubvolumeMounts } from './subvolume-mounts.ts';

/** Export ids are 16 bits; 0 is the pseudo filesystem's root. */
const LARGEST_EXPORT_ID = 65_535;

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
  const bus = createGaneshaBus({ clock, timeoutMs });
  const mounts = createSubvolumeMounts({ root, exportsRoot, timeoutMs });
  const fileOf = (id: string): string => join(configDir, `${id}.conf`);
  // Ganesha names an export by its path, or with Mount_Path_Pseudo by its pseudo path.
  const idOf = (path: string): string | undefined => {
    const id = basename(path);
    return ['/', exportsRoot].includes(dirname(path)) && isId(id) ? id : undefined;
  };
  const shownOf = async (id: string): Promise<readonly ShownExport[]> =>
    (await bus.show()).filter(({ path }) => idOf(path) === id);

  const end = async (id: string): Promise<void> => {
    for (const { exportId } of await shownOf(id)) await bus.remove(exportId);
    await mounts.unmount(id);
    await rm(fileOf(id), { force: true });
  };

  const apply = async (wanted: ActiveExport): Promise<void> => {
    const { id } = wanted;
    const clients = clientsOf(wanted.rules);
    let mount = await mounts.find(id);
    if (mount === undefined) {
      // The server may still export what was mounted here before.
      await end(id);
      mount = await mounts.mount(id);
    }
    const shown = await bus.show();
    const current = shown.find(({ path }) => idOf(path) === id);
    const exportId = current?.exportId ?? freeExportId(mount.subvolumeId ?? 0, shown);
    await writeWhole(fileOf(id), renderExport({ wanted, exportId, path: mounts.pathOf(id) }));
    if (current === undefined) await bus.add(fileOf(id), exportId);
    else await bus.update(fileOf(id), exportId);

    // Ganesha answers "1 exports updated" even if it dropped a client that it
    // couldn't read. Rather no export than one that serves others than it should.
    const held = (await bus.clients(exportId)).map(clientKey);
    if (held.join() === clients.map(clientKey).join()) return;
    await end(id);
    throw new RigError('io', `ganesha made of the rules of ${id}: ${held.join(', ') || 'nothing'}`);
  };

  const list = async (): Promise<readonly ActiveExport[]> => {
    const found: ActiveExport[] = [];
    for (const { exportId, path } of await bus.show()) {
      const id = idOf(path);
      if (id === undefined) continue;
      try {
        const clients = await bus.clients(exportId);
        // An export whose mount is gone serves nobody; it must differ from any
        // that is wanted, so that it is made again, or ended.
        const isMounted = (await mounts.find(id)) !== undefined;
        found.push({ id, rules: isMounted ? rulesOf(clients, await readSpelling(fileOf(id))) : [] });
      } catch (error) {
        if (!hasCode(error, 'not_found')) throw error;
      }
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  };

  const inTurn = createTurns();
  return {
    list: () => inTurn(list),
    apply: (wanted) =>
      inTurn(() => {
        checkedExport(wanted);
        return wanted.rules.length === 0 ? end(wanted.id) : apply(wanted);
      }),
    remove: (id) => inTurn(() => end(checkedId(id))),
  };
}

/**
 * The export's id is part of its file handles, so that it must be the same
 * whenever the volume is exported again. The subvolume's id is: BTRFS counts
 * them up from 256 and never gives one twice. Should two meet after 65,535
 * subvolumes, the second takes the next free one; its handles then last only as
 * long as the server.
 */
export function freeExportId(subvolumeId: number, shown: readonly ShownExport[]): number {
  const taken = new Set(shown.map(({ exportId }) => exportId));
  for (let step = 0; step < LARGEST_EXPORT_ID; step += 1) {
    const candidate = ((subvolumeId + step - 1 + LARGEST_EXPORT_ID) % LARGEST_EXPORT_ID) + 1;
    if (!taken.has(candidate)) return candidate;
  }
  throw new RigError('unsupported', `ganesha can't hold more than ${LARGEST_EXPORT_ID} exports`);
}

/** Runs one at a time, in the order of the calls: every step reads what the last one left. */
function createTurns(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => undefined);
    return turn.catch((error: unknown) => {
      throw RigError.from(error, { code: 'io' });
    });
  };
}

function isId(text: string): boolean {
  return /^v[0-9a-f]{16}$/.test(text);
}

async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, content, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

async function readSpelling(path: string): Promise<readonly ExportRule[]> {
  const file = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return spelledRules(file);
}
