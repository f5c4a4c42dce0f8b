// A script's own reads and writes: where a consumer goes for a volume, and one
// try at a file of it.

import { RigError } from '../base/errors.ts';
import type { Observation } from './observation.ts';
import type { Step } from './scenario.ts';
import type { Scene } from './scene.ts';
import { volumeOf } from './stage.ts';

const IO_TIMEOUT_MS = 5_000;
/** A disk that several clusters share may be as slow as this. */
const LEAST_BYTES_PER_MS = 5_000;
const FILE_BYTES = 256 * 1024;

/**
 * Where the consumer goes for the volume: one that follows the events to where it was told, any other to
 * where etcd has the volume now. Null when it was told that there is nowhere to go.
 */
export function serverOf(
  { stage, names, followers }: Scene,
  { by, volume }: { readonly by: string; readonly volume: string },
): string | null {
  const id = names.idOf(volume);
  const node = volumeOf(stage.recorder, id)?.node ?? null;
  const follower = followers.get(by);
  if (follower === undefined || node === null) return node;
  return follower.serverOf(id, node);
}

/** Tries it once; whatever came of it is seen. */
export async function tryFile(
  scene: Scene,
  step: Extract<Step, { readonly io: unknown }>,
  attempt: number,
): Promise<Observation> {
  const volume = scene.names.idOf(step.volume);
  const server = step.at ?? serverOf(scene, step);
  if (server === null) throw new RigError('unavailable', `volume ${step.volume} is on no node now`);
  // A write that is to be refused may be let in at first: then each try is a file of its own.
  const file = step.io === 'write' && step.outcome === 'refused' ? `${step.file}.${attempt}` : step.file;
  const bytes = step.io === 'write' ? (step.bytes ?? FILE_BYTES) : 0;
  const answer = await scene.stage.clients.file({
    process: `${step.by} ${step.io} ${step.file}`,
    kind: `nfs-${step.io}`,
    consumer: step.by,
    server,
    volume,
    file,
    uid: step.uid,
    timeoutMs: IO_TIMEOUT_MS + Math.ceil(bytes / LEAST_BYTES_PER_MS),
    ...(step.io === 'write' && { content: { name: `${step.by}/${volume}/${file}`, bytes } }),
  });
  const outcome = answer.full === true ? 'full' : answer.outcome;
  // What may hold more was said to be there before: a later try that finds room shows that it came too late.
  const isFinal = step.outcome === 'ok' && outcome === 'full';
  return {
    holds: outcome === step.outcome,
    isFinal,
    seen: `${outcome} at ${server} ${answer.detail ?? ''}`.trim(),
  };
}
