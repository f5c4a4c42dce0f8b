// The comparison of disk, NFS server and etcd that finds what no event told of:
// at the start, after an outage, and every so often.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { readable } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import { type ActiveExport, type Exporter, ifUp } from '../../nfs/exporter.ts';
import type { Storage, Subvolume } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import { decide } from './decide.ts';
import { judgeOrphans, ownerOf, type Suspects } from './orphans.ts';
import type { WorkQueue } from './queue.ts';

export interface ReconcilerOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly binding: Binding;
  readonly queue: WorkQueue;
  readonly node: string;
  readonly intervalMs: number;
  readonly trashRetentionMs: number;
}

export interface Reconciler {
  /** One comparison. Asks the queue for whatever is to be done; rejects as the ports do, having changed nothing. */
  pass(): Promise<void>;
}

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { clock, storage, exporter, binding, queue, node } = options;
  let suspects: Suspects = new Map();

  const pass = async (): Promise<void> => {
    const before = suspects;
    // Whatever goes wrong from here on, the two listings are not consecutive any more.
    suspects = new Map();
    // The disk first: what is on it was assigned before, so a later listing accounts for it.
    const [subvolumes, exports] = await Promise.all([storage.list(), ifUp(exporter.list())]);
    const listed = await binding.check();
    if (listed === undefined) {
      queue.hold();
      return;
    }
    queue.release();
    const kvs = listed.kvs.filter(({ key }) => key.startsWith(VOLUMES_PREFIX));
    // Malformed values were logged by whoever met them first, and count as this node's own (orphans.ts).
    for (const { value: volume } of readable(volumeSchema, { kvs, onMalformed: () => undefined })) {
      if (volume.node === node && needsWork(volume, { subvolumes, exports }))
        queue.add(volume.id, { look: true });
    }
    const verdict = judgeOrphans({
      self: node,
      kvs,
      onDisk: subvolumes.map(({ id }) => id),
      exported: (exports ?? []).map(({ id }) => id),
      suspects: before,
      nowMs: clock.monotonicMs(),
      intervalMs: options.intervalMs,
    });
    // No store that lacks what was found here can have convicted them (binding.ts).
    if (verdict.trash.length > 0) await binding.witness(listed.revision);
    await Promise.all([
      ...verdict.unexport.map((id) => queue.exclusively(id, () => dispose(options, id, 'unexport'))),
      ...verdict.trash.map((id) => queue.exclusively(id, () => dispose(options, id, 'trash'))),
    ]);
    suspects = verdict.suspects;
    const purged = await storage.purgeTrash({ olderThanMs: options.trashRetentionMs });
    if (purged > 0) options.log.info('trash.purged', { subvolumes: purged });
  };

  return { pass };
}

function needsWork(
  volume: Volume,
  found: { readonly subvolumes: readonly Subvolume[]; readonly exports: readonly ActiveExport[] | undefined },
): boolean {
  const decision = decide(volume, {
    subvolume: found.subvolumes.find(({ id }) => id === volume.id),
    rules:
      found.exports === undefined
        ? undefined
        : (found.exports.find(({ id }) => id === volume.id)?.rules ?? []),
  });
  return decision === 'look' || decision.deeds.length > 0 || decision.conclusion !== undefined;
}

/** In the volume's turn, after one more look: it may have been assigned to this node since. */
async function dispose(options: ReconcilerOptions, id: string, how: 'unexport' | 'trash'): Promise<void> {
  const { kv, log, storage, exporter, binding, node } = options;
  const [{ kv: found }, isOurCluster] = await Promise.all([kv.get(volumeKey(id)), binding.confirm()]);
  if (!isOurCluster) return;
  if (found !== undefined && ownerOf(found, node) === 'self') return;
  const reason = found === undefined ? 'absent from etcd' : 'assigned elsewhere';
  await exporter.remove(id);
  if (how === 'unexport') {
    log.info('orphan.unexported', { volume: id, reason });
    return;
  }
  await storage.trash(id);
  log.warn('orphan.trashed', { volume: id, reason });
}
