// The source's side of a move after the handover. What is left here of the
// volume goes to the trash once both nodes agree on the last copy, and the new
// node has made the volume from it.
//
// If they don't agree, everything is kept, and that is written on this disk as a copy of a name of its own: the
// volume may move on, and the other node then clears its copies away. Without the mark, a process that begins
// here later would find nothing to compare, and trash what may be the only good one.

import { hasCode, RigError } from '../../../base/errors.ts';
import { isHandedOver } from '../../../model/volume.ts';
import { inTurn, readStored } from './context.ts';
import { MISMATCH_MARK, newest } from './copy-names.ts';
import type { MoverOptions, StoredVolume } from './types.ts';

export interface DisposalMemory {
  /** Name of the copy on which both nodes agree: a digest reads all of it, and is made once. */
  agreed: string | undefined;
  /** It has been said that the two differ, and that everything is kept. */
  isKept: boolean;
}

/**
 * `later`: the new node isn't done, or the two differ, or did before, and everything is kept until people have seen
 * to it. Rejects if it should be tried later, too.
 */
export async function dispose(
  options: MoverOptions,
  id: string,
  { signal, memory }: { readonly signal: AbortSignal; readonly memory: DisposalMemory },
): Promise<'done' | 'later'> {
  const { storage, failpoints, queue, binding } = options;
  const stored = await readStored(options, id);
  const owner = ownerElsewhere(options, stored);
  // The handover may be an earlier life's, which left no mark after it (cutover.ts).
  if (stored !== undefined && owner !== undefined) await binding.witness(stored.modRevision);
  // A digest reads all of the disk's copy: not while the new node makes the volume from it, and nobody has access.
  if (stored !== undefined && owner !== undefined && isHandedOver(stored.volume)) return 'later';
  const here = (await storage.copies()).filter((copy) => copy.id === id).map(({ name }) => name);
  const last = newest(here);
  // Whatever else is on the disk is an orphan, or stale (orphans.ts, stale.ts).
  if (owner === undefined || last === undefined || (await storage.find(id)) === undefined) return 'done';
  if (here.includes(MISMATCH_MARK)) {
    if (!memory.isKept)
      options.log.error('move.remains-kept', { volume: id, at: owner, marked: MISMATCH_MARK });
    memory.isKept = true;
    return 'later';
  }
  if (memory.agreed !== last) {
    if (!(await agree(options, { id, name: last, owner, signal }))) {
      await storage.freeze({ id, name: MISMATCH_MARK });
      memory.isKept = true;
      return 'later';
    }
    memory.agreed = last;
    await failpoints.reach('move/after-verify');
  }
  const end = await inTurn(queue, { id, signal }, () => trash(options, id));
  if (end === 'later') return 'later';
  if (end === 'trashed') {
    await discardAll(options, { id, owner, here, signal });
    options.onDisposed(id);
  }
  return 'done';
}

/** The node that has the volume, if it isn't this one. */
function ownerElsewhere(
  { node }: Pick<MoverOptions, 'node'>,
  stored: StoredVolume | undefined,
): string | undefined {
  const owner = stored?.volume.node ?? undefined;
  return owner === node ? undefined : owner;
}

/** Whether both nodes have the same. A volume that has gone on since without its copy is taken as it is. */
async function agree(
  options: MoverOptions,
  { id, name, owner, signal }: { id: string; name: string; owner: string; signal: AbortSignal },
): Promise<boolean> {
  const { clock, log, storage, peers } = options;
  const startedMs = clock.monotonicMs();
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const fields = { volume: id, to: owner, copy: name };
  try {
    const [ours, theirs] = await Promise.all([
      storage.digest({ id, name }, both),
      peers.digest(owner, { id, name }, both).catch((error: unknown) => {
        if (hasCode(error, 'not_found')) return null;
        throw error;
      }),
    ]);
    if (theirs === null) {
      // Once its stream had arrived whole (transfer.ts), the volume was in use there, and moved on.
      if ((await peers.usage(owner, id)) === undefined) {
        throw new RigError('conflict', `node ${owner} has neither volume ${id} nor its copy ${name}`);
      }
      log.warn('move.unverified', fields);
      return true;
    }
    if (ours !== theirs) {
      log.error('move.digest-mismatch', { ...fields, ours, theirs });
      return false;
    }
    log.info('move.verified', { ...fields, digest: ours, ms: Math.round(clock.monotonicMs() - startedMs) });
    return true;
  } finally {
    ended.abort();
  }
}

/** In the volume's turn, after one more look. */
async function trash(options: MoverOptions, id: string): Promise<'trashed' | 'later' | 'not-due'> {
  const { log, storage, exporter, binding } = options;
  const stored = await readStored(options, id);
  // Nobody's any more, or this node's again: then it is for others to see to.
  if (stored === undefined || ownerElsewhere(options, stored) === undefined) return 'not-due';
  if (isHandedOver(stored.volume)) return 'later';
  await exporter.remove(id);
  await binding.witness(stored.modRevision);
  await storage.trash(id);
  log.info('move.source-trashed', { volume: id, to: stored.volume.node });
  return 'trashed';
}

async function discardAll(
  { storage, peers, log }: MoverOptions,
  options: { id: string; owner: string; here: readonly string[]; signal: AbortSignal },
): Promise<void> {
  const { id, owner, here, signal } = options;
  try {
    const there = await peers.copies(owner, id, signal);
    for (const name of here.filter((name) => there.includes(name))) {
      await peers.discard(owner, { id, name }, signal);
    }
  } catch (cause) {
    // It finds them stale itself, in time.
    log.debug('move.not-tidied', { volume: id, to: owner, cause });
  }
  for (const name of here) await storage.discard({ id, name });
}
