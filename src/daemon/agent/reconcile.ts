// The comparison of disk, NFS server and etcd that finds what no event told of:
// at the start, after an outage, and every so often.

import type { Clock } from '../../base/clock.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { under } from '../../kv/listing.ts';
import { readable } from '../../model/parse.ts';
import { type Volume, type VolumeState, volumeSchema } from '../../model/volume.ts';
import { type ActiveExport, type Exporter, ifUp } from '../../nfs/exporter.ts';
import type { Storage, Subvolume } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import { decide } from './decide.ts';
import type { Mover } from './move/types.ts';
import { judgeOrphans, ownerOf, type Suspects } from './orphans.ts';
import type { WorkQueue } from './queue.ts';
import { remainsOn } from './remains.ts';
import type { Rewrites } from './rewrites.ts';

export interface ReconcilerOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoints: Failpoints;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly binding: Binding;
  readonly queue: WorkQueue;
  readonly mover: Pick<Mover, 'sweep'>;
  readonly rewrites: Pick<Rewrites, 'stop'>;
  readonly node: string;
  readonly intervalMs: number;
  readonly trashRetentionMs: number;
}

export interface Reconciler {
  /**
   * One comparison. Asks the queue for whatever is to be done; rejects as the ports do, having changed nothing.
   * Answers with the volumes of which something remains here (remains.ts); null when etcd isn't that of this disk.
   */
  pass(): Promise<ReadonlySet<string> | null>;
}

/** Work on them goes on in the background, and a job sees to it that it does. */
const IN_BACKGROUND: readonly VolumeState[] = ['moving', 'rewriting'];

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { clock, storage, exporter, binding, queue, node } = options;
  let suspects: Suspects = new Map();

  const pass = async (): Promise<ReadonlySet<string> | null> => {
    const before = suspects;
    // Whatever goes wrong from here on, the two listings are not consecutive any more.
    suspects = new Map();
    // The disk first: what is on it was assigned before, so a later listing accounts for it.
    const [subvolumes, exports] = await Promise.all([storage.list(), ifUp(exporter.list())]);
    const listed = await binding.check();
    if (listed === undefined) {
      queue.hold();
      return null;
    }
    queue.release();
    const kvs = under(listed.kvs, VOLUMES_PREFIX);
    // Malformed values were logged by whoever met them first, and count as this node's own (orphans.ts).
    for (const { value: volume } of readable(volumeSchema, { kvs, onMalformed: () => undefined })) {
      if (volume.node === node && needsWork(volume, { subvolumes, exports }))
        queue.add(volume.id, { look: true });
    }
    const onDisk = subvolumes.map(({ id }) => id);
    const swept = await options.mover.sweep(listed, onDisk);
    const verdict = judgeOrphans({
      self: node,
      kvs,
      onDisk,
      exported: (exports ?? []).map(({ id }) => id),
      spared: swept.moved,
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
    return remainsOn({ self: node, kvs, onDisk, copied: swept.copied });
  };

  return { pass };
}

function needsWork(
  volume: Volume,
  found: { readonly subvolumes: readonly Subvolume[]; readonly exports: readonly ActiveExport[] | undefined },
): boolean {
  const { id, state, control } = volume;
  if (IN_BACKGROUND.includes(state)) return true;
  const find = (wanted: string | null): Subvolume | undefined =>
    found.subvolumes.find((subvolume) => subvolume.id === wanted);
  const decision = decide(volume, {
    subvolume: find(id),
    parent: find(control.parent_id),
    rules:
      found.exports === undefined
        ? undefined
        : (found.exports.find((active) => active.id === id)?.rules ?? []),
  });
  return decision === 'look' || decision.deeds.length > 0 || decision.conclusion !== undefined;
}

/** In the volume's turn, after one more look: it may have been assigned to this node since. */
async function dispose(options: ReconcilerOptions, id: string, how: 'unexport' | 'trash'): Promise<void> {
  const { kv, log, storage, exporter, binding, node, failpoints } = options;
  const [{ kv: found }, isOurCluster] = await Promise.all([kv.get(volumeKey(id)), binding.confirm()]);
  if (!isOurCluster) return;
  const owner = found === undefined ? 'nobody' : ownerOf(found, node);
  if (owner === 'self') return;
  const reason = found === undefined ? 'absent from etcd' : 'assigned elsewhere';
  await failpoints.reach('agent/before-unexport');
  await exporter.remove(id);
  await failpoints.reach('agent/after-unexport');
  if (how === 'unexport' || owner === 'travels') {
    log.info('orphan.unexported', { volume: id, reason });
    return;
  }
  await options.rewrites.stop(id);
  await failpoints.reach('agent/before-trash');
  await storage.trash(id);
  await failpoints.reach('agent/after-trash');
  log.warn('orphan.trashed', { volume: id, reason });
}
