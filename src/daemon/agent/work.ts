// One job on one volume: read what etcd asks for, do it, write down that it is
// done, and begin again if etcd has changed meanwhile.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { volumeKey } from '../../kv/keys.ts';
import type { Kv, Write } from '../../kv/kv.ts';
import { type Author, completed, delayed, exported, failed } from '../../model/changes.ts';
import { parseStored } from '../../model/parse.ts';
import { type Volume, type VolumeState, volumeSchema } from '../../model/volume.ts';
import type { Exporter } from '../../nfs/exporter.ts';
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
}

/** States from which a failure on the disk leads to `error` (model/volume.ts). */
const CAN_FAIL: readonly VolumeState[] = ['scheduling', 'resizing', 'ready'];
/** After so many lost compares the next reconciliation has a go. */
const ATTEMPTS = 8;
const LONGEST_REASON = 500;

interface Stored {
  readonly volume: Volume;
  readonly modRevision: number;
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
    if (stored === undefined) return;
    let decision = decide(stored.volume, look ? await lookAt(options, id) : undefined);
    if (decision === 'look') decision = decide(stored.volume, await lookAt(options, id));
    if (decision === 'look') throw new RigError('internal', `volume ${id} can't be decided about`);
    const conclusion = await perform(options, stored.volume, decision);
    if (conclusion === undefined) return;
    if (await conclude(options, stored, conclusion)) return;
  }
}

/** The volume, if it exists, is this node's, and is in the cluster that the disk belongs to. */
async function readOwn({ kv, log, node, binding }: WorkOptions, id: string): Promise<Stored | undefined> {
  const [{ kv: found }, isOurCluster] = await Promise.all([kv.get(volumeKey(id)), binding.confirm()]);
  if (found === undefined || !isOurCluster) return undefined;
  try {
    const volume = parseStored(volumeSchema, found);
    return volume.node === node && volume.id === id ? { volume, modRevision: found.modRevision } : undefined;
  } catch (error) {
    log.error('stored.malformed', { key: found.key, cause: error });
    return undefined;
  }
}

async function lookAt({ storage, exporter }: WorkOptions, id: string): Promise<Seen> {
  const [subvolumes, exports] = await Promise.all([storage.list(), exporter.list().catch(() => undefined)]);
  return {
    subvolume: subvolumes.find((subvolume) => subvolume.id === id),
    rules: exports === undefined ? undefined : (exports.find((active) => active.id === id)?.rules ?? []),
  };
}

/** Does the deeds in order. Answers with what to write, which is another thing if one failed. */
async function perform(
  options: WorkOptions,
  volume: Volume,
  decision: Decision,
): Promise<Conclusion | undefined> {
  for (const deed of decision.deeds) {
    try {
      await doDeed(options, volume, deed);
    } catch (error) {
      const cause = RigError.from(error, { code: 'io' });
      options.log.error('volume.work-failed', {
        volume: volume.id,
        state: volume.state,
        deed: deed.kind,
        cause,
      });
      // A server that is down comes back; the next reconciliation tries again.
      if (cause.code === 'unavailable') return undefined;
      // A volume that is there and whole is not in error because its exports can't be changed.
      const serving = volume.state === 'ready' && deed.kind === 'export';
      return serving ? undefined : { kind: 'fail', reason: cause.message.slice(0, LONGEST_REASON) };
    }
  }
  return decision.conclusion;
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
      if (CAN_FAIL.includes(volume.state)) return put(failed(volume, conclusion.reason, author));
      // It stays in its state, and is tried again at the next reconciliation.
      return volume.state !== 'deleting' || volume.control.error === conclusion.reason
        ? undefined
        : put(delayed(volume, conclusion.reason, author));
  }
}
