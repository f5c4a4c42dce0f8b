// What the parts of the mover share.

import { abortError } from '../../../base/clock.ts';
import { RigError } from '../../../base/errors.ts';
import { volumeKey } from '../../../kv/keys.ts';
import { parseStored } from '../../../model/parse.ts';
import { isOnItsWay, moveTaskOf, type Volume, volumeSchema } from '../../../model/volume.ts';
import type { Copy } from '../../../storage/storage.ts';
import type { MoverOptions, StoredVolume } from './types.ts';

/** A fresh, linearizable read; undefined when there is no such volume. Throws `conflict` in a cluster that isn't ours. */
export async function readStored(
  { kv, binding }: Pick<MoverOptions, 'kv' | 'binding'>,
  id: string,
): Promise<StoredVolume | undefined> {
  const [{ kv: found }, isOurCluster] = await Promise.all([kv.get(volumeKey(id)), binding.confirm()]);
  if (!isOurCluster) {
    throw new RigError('conflict', 'etcd does not hold the cluster that this disk belongs to');
  }
  if (found === undefined) return undefined;
  return { volume: parseStored(volumeSchema, found), modRevision: found.modRevision };
}

/** Where a volume that is on its way from `from` is going; undefined for any other. */
export function targetOf(volume: Volume, from: string): string | undefined {
  if (!isOnItsWay(volume) || volume.node !== from) return undefined;
  return moveTaskOf(volume)?.node ?? undefined;
}

/** Complete, and on this disk. */
export async function hasCopy({ storage }: Pick<MoverOptions, 'storage'>, copy: Copy): Promise<boolean> {
  return (await storage.copies()).some(({ id, name }) => id === copy.id && name === copy.name);
}

/** In the volume's exclusive turn. Only the wait for it ends with the signal: what has begun is seen through. */
export function inTurn<T>(
  queue: MoverOptions['queue'],
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    void queue.exclusively(id, async () => {
      signal.removeEventListener('abort', onAbort);
      if (!signal.aborted) await work().then(resolve, reject);
    });
  });
}
