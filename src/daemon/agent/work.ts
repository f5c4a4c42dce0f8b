// One job on one volume: read what etcd asks for, do it, write down that it is
// done, and begin again if etcd has changed meanwhile.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { volumeKey } from '../../kv/keys.ts';
import type { Kv, Write } from '../../kv/kv.ts';
import { type Author, completed, delayed, exported, failed } from '../../model/changes.ts';
import { parseStored } from '../../model/parse.ts';
import { TRANSITIONS, type Volume, type VolumeState, volumeSchema } from '../../model/volume.ts';
import { type Exporter, ifUp } from '../../nfs/exporter.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Binding } from './binding.ts';
import { type Conclusion, type Decision, type Deed, decide, type Seen } from './decide.ts';

export interface WorkOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly binding: Binding;
  readonly node: string;
  readonly leaseTtlSeconds: number;
  /** Called when a volume that was worked on turns out not to be this node's: what was made must go again. */
  readonly onLost: (id: string) => void;
}

/** After so many lost compares the next reconciliation has a go. */
const ATTEMPTS = 8;
const LONGEST_REASON = 500;
/** Of the lease's time to live: a read that is older may be of before the volume was given away. */
const FRESH_FRACTION = 0.25;

interface Stored {
  readonly volume: Volume;
  readonly modRevision: number;
  /** On the monotonic clock. */
  readonly readAtMs: number;
}

/** Rejects as `kv` does, with nothing half done that the next job would not finish. */
export async function attend(
  options: WorkOptions,
  id: string,
  { look }: { readonly look: boolean },
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // Always from a fresh read: an agent that was paused must not act on what was true before.
    const stored = await readOwn(options, id);
    if (stored === undefined) {
      if (attempt > 0) options.onLost(id);
      return;
    }
    let decision = decide(stored.volume, look ? await lookAt(options, id) : undefined);
    if (decision === 'look') decision = decide(stored.volume, await lookAt(options, id));
    if (decision === 'look') throw new RigError('internal', `volume ${id} can't be decided about`);
    const conclusion = await perform(options, stored, decision);
    if (conclusion === undefined) return;
    if (conclusion !== 'begin-again' && (await conclude(options, stored, conclusion))) return;
  }
}

/** The volume, if it exists, is this node's, and is in the cluster that the disk belongs to. */
async function readOwn(
  { kv, clock, log, node, binding }: WorkOptions,
  id: string,
): Promise<Stored | undefined> {
  const readAtMs = clock.monotonicMs();
  const [{ kv: found }, isOurCluster] = await Promise.all([kv.get(volumeKey(id)), binding.confirm()]);
  if (found === undefined || !isOurCluster) return undefined;
  try {
    const volume = parseStored(volumeSchema, found);
    return volume.node === node && volume.id === id
      ? { volume, modRevision: found.modRevision, readAtMs }
      : undefined;
  } catch (error) {
    log.error('stored.malformed', { key: found.key, cause: error });
    return undefined;
  }
}

async function lookAt({ storage, exporter }: WorkOptions, id: string): Promise<Seen> {
  const [subvolume, rules] = await Promise.all([
    storage.find(id),
    ifUp(exporter.find(id).then((active) => active?.rules ?? [])),
  ]);
  return { subvolume, rules };
}

/**
 * Does the deeds in order. Answers with what to write, which is another thing
 * if one failed, or that etcd has changed and nothing more should be done.
 */
async function perform(
  options: WorkOptions,
  stored: Stored,
  decision: Decision,
): Promise<Conclusion | 'begin-again' | undefined> {
  const { volume } = stored;
  for (const deed of decision.deeds) {
    try {
      if (deed.kind === 'create') await options.binding.witness(stored.modRevision);
    } catch (error) {
      // The disk's failure is the volume's; etcd's isn't.
      if (!hasCode(error, 'io')) throw error;
      return failure(options, volume, { deed, error });
    }
    if (!(await isStillDue(options, stored, deed))) return 'begin-again';
    try {
      await doDeed(options, volume, deed);
    } catch (error) {
      return failure(options, volume, { deed, error });
    }
  }
  return decision.conclusion;
}

/** What to write about a deed that failed, if anything. */
function failure(
  { log }: WorkOptions,
  volume: Volume,
  { deed, error }: { readonly deed: Deed; readonly error: unknown },
): Conclusion | undefined {
  const cause = RigError.from(error, { code: 'io' });
  log.error('volume.work-failed', { volume: volume.id, state: volume.state, deed: deed.kind, cause });
  // A server that is down comes back; the next reconciliation tries again.
  if (cause.code === 'unavailable') return undefined;
  // A volume that is there and whole is not in error because its exports can't be changed.
  const serving = volume.state === 'ready' && deed.kind === 'export';
  return serving ? undefined : { kind: 'fail', reason: cause.message.slice(0, LONGEST_REASON) };
}

/**
 * Whether etcd still says what it said, where an agent that was paused, or took
 * long, would do harm: it may make no second volume of one that was created
 * elsewhere meanwhile, and let no client into it.
 */
async function isStillDue(options: WorkOptions, stored: Stored, deed: Deed): Promise<boolean> {
  const { volume, modRevision, readAtMs } = stored;
  const ageMs = options.clock.monotonicMs() - readAtMs;
  const isOld = ageMs > FRESH_FRACTION * options.leaseTtlSeconds * 1000;
  const isFirstExport = deed.kind === 'export' && volume.actual === null;
  if (!isFirstExport && !(deed.kind === 'create' && isOld)) return true;
  return (await readOwn(options, volume.id))?.modRevision === modRevision;
}

async function doDeed(options: WorkOptions, volume: Volume, deed: Deed): Promise<void> {
  const { storage, exporter, log } = options;
  const { id } = volume;
  switch (deed.kind) {
    case 'create':
      await storage.create({ id, quotaBytes: deed.quotaBytes });
      log.info('volume.created', { volume: id, quotaBytes: deed.quotaBytes });
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
      await storage.trash(id);
      break;
  }
}

/** Writes the conclusion if the volume is still as it was read. False if it isn't. */
async function conclude(options: WorkOptions, stored: Stored, conclusion: Conclusion): Promise<boolean> {
  const { kv, clock, log, node } = options;
  const { volume, modRevision } = stored;
  const author: Author = { writer: { role: 'agent', node, term: null }, nowMs: clock.nowMs() };
  const write = writeOf(volume, conclusion, author);
  if (write === undefined) return true;
  const { succeeded } = await kv.transact({
    compare: [{ key: write.key, target: 'mod', equals: modRevision }],
    writes: [write],
  });
  if (!succeeded) {
    log.debug('volume.changed-meanwhile', { volume: volume.id, conclusion: conclusion.kind });
    return false;
  }
  if (conclusion.kind === 'forget') log.info('volume.deleted', { volume: volume.id });
  if (conclusion.kind === 'complete') log.info('volume.ready', { volume: volume.id });
  if (conclusion.kind === 'fail') {
    log.warn('volume.failed', { volume: volume.id, state: volume.state, reason: conclusion.reason });
  }
  return true;
}

/** Undefined when etcd says it already, or there is no legal way to say it. */
function writeOf(volume: Volume, conclusion: Conclusion, author: Author): Write | undefined {
  const key = volumeKey(volume.id);
  const put = (changed: Volume): Write => ({ kind: 'put', key, value: JSON.stringify(changed) });
  switch (conclusion.kind) {
    case 'forget':
      return { kind: 'delete', key };
    case 'complete':
      return put(completed(volume, author));
    case 'record-exports':
      return put(exported(volume, author));
    case 'fail':
      if (canFail(volume.state)) return put(failed(volume, conclusion.reason, author));
      // It stays in its state, and is tried again at the next reconciliation.
      return volume.state !== 'deleting' || volume.control.error === conclusion.reason
        ? undefined
        : put(delayed(volume, conclusion.reason, author));
  }
}

/** A deletion that failed stays one: the retry of an error would be a resurrection. */
function canFail(state: VolumeState): boolean {
  const isLegal = TRANSITIONS.some(
    ({ from, to, by }) => from === state && to === 'error' && by.includes('agent'),
  );
  return isLegal && state !== 'deleting';
}
