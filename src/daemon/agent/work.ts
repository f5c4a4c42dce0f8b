// One job on one volume: read what etcd asks for, do it, write down that it is
// done, and begin again if etcd has changed meanwhile.

import { RigError } from '../../base/errors.ts';
import { volumeKey } from '../../kv/keys.ts';
import { parseStored } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import { ifUp } from '../../nfs/exporter.ts';
import type { Binding } from './binding.ts';
import { type ConcludeOptions, conclude } from './conclusions.ts';
import { decide } from './decide.ts';
import type { Conclusion, Decision, Seen } from './decision.ts';
import { type DeedOptions, perform } from './deeds.ts';
import type { Mover, StoredVolume } from './move/types.ts';
import type { Rewrites } from './rewrites.ts';

export interface WorkOptions extends DeedOptions, ConcludeOptions {
  readonly binding: Binding;
  readonly mover: Pick<Mover, 'claim' | 'follow'>;
  readonly rewrites: Rewrites;
  /** Called when a volume that was worked on turns out not to be this node's: what was made must go again. */
  readonly onLost: (id: string) => void;
}

/** After so many lost compares the next reconciliation has a go. */
const ATTEMPTS = 8;

/** Rejects as `kv` does, with nothing half done that the next job would not finish. */
export async function attend(
  options: WorkOptions,
  id: string,
  { look }: { readonly look: boolean },
): Promise<void> {
  const { clock, mover, rewrites } = options;
  let mustLook = look;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const readAtMs = clock.monotonicMs();
    // Always from a fresh read: an agent that was paused must not act on what was true before.
    const stored = await readOwn(options, id);
    if (stored === undefined) {
      void rewrites.stop(id);
      if (attempt > 0) options.onLost(id);
      return;
    }
    mover.follow(stored.volume);
    rewrites.follow(stored);
    const decision = await decideAbout(options, stored.volume, mustLook);
    const isUnchanged = async (): Promise<boolean> =>
      (await readOwn(options, id))?.modRevision === stored.modRevision;
    const conclusion = await perform(options, { stored, readAtMs, isUnchanged }, decision);
    if (conclusion === undefined) return;
    if (conclusion === 'begin-again') continue;
    const isWritten = await tell(options, stored, conclusion);
    // What is made is yet to be exported.
    if (isWritten && conclusion.kind !== 'record-made') return;
    // etcd doesn't know what was done in vain, and may want back what was there before.
    mustLook ||= !isWritten;
  }
}

/** The volume, if it exists, is this node's, and is in the cluster that the disk belongs to. */
async function readOwn(
  { kv, log, node, binding }: WorkOptions,
  id: string,
): Promise<StoredVolume | undefined> {
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

async function decideAbout(options: WorkOptions, volume: Volume, look: boolean): Promise<Decision> {
  const rewrite = options.rewrites.endOf(volume.id);
  let decision = decide(volume, look ? await lookAt(options, volume) : undefined, rewrite);
  if (decision === 'look') decision = decide(volume, await lookAt(options, volume), rewrite);
  if (decision === 'look') throw new RigError('internal', `volume ${volume.id} can't be decided about`);
  return decision;
}

async function lookAt(options: WorkOptions, { id, state, control }: Volume): Promise<Seen> {
  const { storage, exporter } = options;
  const [subvolume, origin, rules] = await Promise.all([
    storage.find(id),
    state === 'cloning' && control.parent_id !== null ? lookAtParent(options, control.parent_id) : {},
    ifUp(exporter.find(id).then((active) => active?.rules ?? [])),
  ]);
  return { subvolume, rules, ...origin };
}

async function lookAtParent(
  options: WorkOptions,
  id: string,
): Promise<Pick<Seen, 'parent' | 'parentCompression'>> {
  const [parent, stored] = await Promise.all([options.storage.find(id), readOwn(options, id)]);
  return { parent, parentCompression: stored?.volume.actual?.compression };
}

/** Writes the conclusion. False: the volume has changed meanwhile. */
async function tell(options: WorkOptions, stored: StoredVolume, conclusion: Conclusion): Promise<boolean> {
  const isEnd = stored.volume.state === 'rewriting' && conclusion.kind !== 'record-exports';
  try {
    const isWritten = await conclude(options, stored, conclusion);
    if (isEnd && isWritten) options.rewrites.told(stored, { certain: true });
    return isWritten;
  } catch (error) {
    if (isEnd) options.rewrites.told(stored, { certain: false });
    throw error;
  }
}
