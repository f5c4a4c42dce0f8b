// Doing on the node what was decided about a volume, one deed after the other.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { LONGEST_REASON } from '../../model/reason.ts';
import { isOnItsWay, type Volume } from '../../model/volume.ts';
import type { Exporter } from '../../nfs/exporter.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import type { Conclusion, Decision, Deed } from './decision.ts';
import type { Mover, StoredVolume } from './move/types.ts';
import type { Rewrites } from './rewrites.ts';

export interface DeedOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoints: Failpoints;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly binding: Pick<Binding, 'witness'>;
  readonly mover: Pick<Mover, 'claim'>;
  readonly rewrites: Pick<Rewrites, 'stop'>;
  readonly leaseTtlSeconds: number;
  /** Called when the disk has failed: its health may have changed. */
  readonly onDiskFailure: () => void;
}

/** What is being done, and from what. */
export interface Job {
  readonly stored: StoredVolume;
  /** When `stored` was read, on the monotonic clock. */
  readonly readAtMs: number;
  /** Whether etcd, asked now, still says the same. */
  readonly isUnchanged: () => Promise<boolean>;
}

/** Of the lease's time to live: a read that is older may be of before the volume was given away. */
const FRESH_FRACTION = 0.25;

/**
 * Does the deeds in order. Answers with what to write, which is another thing
 * if one failed, or that etcd has changed and nothing more should be done.
 * Rejects as etcd does.
 */
export async function perform(
  options: DeedOptions,
  job: Job,
  decision: Decision,
): Promise<Conclusion | 'begin-again' | undefined> {
  try {
    return await performAll(options, job, decision);
  } catch (error) {
    if (error instanceof DeedError) return failure(options, job.stored.volume, error);
    throw error;
  }
}

/** Why a deed could not be done, and which. */
class DeedError extends Error {
  readonly deed: Deed;

  constructor(deed: Deed, cause: unknown) {
    super(deed.kind, { cause });
    this.deed = deed;
  }
}

async function performAll(
  options: DeedOptions,
  job: Job,
  decision: Decision,
): Promise<Conclusion | 'begin-again' | undefined> {
  const { volume, modRevision } = job.stored;
  let marked: Promise<void> | undefined;
  for (const deed of decision.deeds) {
    // What is made before there is a mark holds nothing that isn't elsewhere, too, for as long as no client is let in.
    if (makes(deed)) marked = mark(options, deed, modRevision);
    if (!makes(deed) || (await isThere(options, volume, deed))) await marked;
    try {
      if (!(await isStillDue(options, job, deed))) return 'begin-again';
    } catch (error) {
      // Another node may have it. Its answer rings, and nobody needs to look before (agent.ts).
      if (hasCode(error, 'conflict')) return undefined;
      throw error;
    }
    try {
      await options.failpoints.reach(`agent/before-${deed.kind}`);
      await doDeed(options, volume, deed);
      await options.failpoints.reach(`agent/after-${deed.kind}`);
    } catch (error) {
      throw new DeedError(deed, error);
    }
  }
  await marked;
  return decision.conclusion;
}

/** Has disk and etcd share a mark that is newer than the revision, while the deed is done. */
function mark({ binding }: DeedOptions, deed: Deed, revision: number): Promise<void> {
  const marked = binding.witness(revision).catch((error: unknown) => {
    // The disk's failure is the volume's; etcd's isn't.
    throw hasCode(error, 'io') ? new DeedError(deed, error) : error;
  });
  // Whoever gives up before has no use for it.
  marked.catch(() => undefined);
  return marked;
}

/** Then clients may use it, by what a newer store says than one that was restored: that one must not touch it. */
async function isThere({ storage }: DeedOptions, { id }: Volume, deed: Deed): Promise<boolean> {
  try {
    return (await storage.find(id)) !== undefined;
  } catch (error) {
    throw new DeedError(deed, error);
  }
}

/** It puts a subvolume on the disk. */
const makes = ({ kind }: Deed): boolean => kind === 'create' || kind === 'clone' || kind === 'adopt';

/**
 * Whether etcd still says what it said, where an agent that was paused, or took
 * long, would do harm: it should make no second volume of one that was created
 * elsewhere meanwhile (were it paused right after this look, the second one
 * would be an orphan, which nobody is let into: decide.ts), and let no client
 * into one that it may have handed over.
 */
async function isStillDue(options: DeedOptions, job: Job, deed: Deed): Promise<boolean> {
  if (deed.kind === 'export') return options.mover.claim(job.stored);
  const ageMs = options.clock.monotonicMs() - job.readAtMs;
  const isOld = ageMs > FRESH_FRACTION * options.leaseTtlSeconds * 1000;
  return makes(deed) && isOld ? job.isUnchanged() : true;
}

async function doDeed(options: DeedOptions, volume: Volume, deed: Deed): Promise<void> {
  const { storage, exporter, log } = options;
  const { id } = volume;
  switch (deed.kind) {
    case 'create':
      await storage.create({ id, quotaBytes: deed.quotaBytes });
      log.info('volume.created', { volume: id, quotaBytes: deed.quotaBytes });
      break;
    case 'clone':
      await storage.clone({ id, parentId: deed.parentId, quotaBytes: deed.quotaBytes });
      log.info('volume.cloned', { volume: id, parent: deed.parentId, quotaBytes: deed.quotaBytes });
      break;
    case 'adopt':
      await storage.adopt({ id, name: deed.copy }, { quotaBytes: deed.quotaBytes });
      log.info('volume.adopted', { volume: id, copy: deed.copy, quotaBytes: deed.quotaBytes });
      break;
    case 'set-quota':
      await storage.setQuota({ id, quotaBytes: deed.quotaBytes });
      log.info('volume.resized', { volume: id, quotaBytes: deed.quotaBytes, state: volume.state });
      break;
    case 'export':
      await exporter.apply({ id, rules: deed.rules });
      log.info('volume.exported', { volume: id, hosts: deed.rules.length });
      break;
    case 'unexport':
      await exporter.remove(id);
      break;
    case 'trash':
      await options.rewrites.stop(id);
      await storage.trash(id);
      break;
  }
}

/** What to write about a deed that failed, if anything. */
function failure(
  { log, onDiskFailure }: DeedOptions,
  volume: Volume,
  { deed, cause: reason }: DeedError,
): Conclusion | undefined {
  const cause = RigError.from(reason, { code: 'io' });
  log.error('volume.work-failed', { volume: volume.id, state: volume.state, deed: deed.kind, cause });
  if (cause.code === 'io') onDiskFailure();
  // A server that is down comes back; the next reconciliation tries again.
  if (cause.code === 'unavailable') return undefined;
  return isRepair(volume, deed)
    ? undefined
    : { kind: 'fail', reason: cause.message.slice(0, LONGEST_REASON) };
}

/** A volume that is there and whole is not in error because its exports can't be changed, nor does what it is in end. */
function isRepair(volume: Volume, deed: Deed): boolean {
  if (volume.state === 'ready') return deed.kind === 'export';
  return volume.state === 'rewriting' || isOnItsWay(volume);
}
