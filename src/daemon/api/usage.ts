// How much a volume holds, as its agent says. Asked before a change that would
// leave it less room than that. An agent that can't be asked is no reason to
// refuse: it refuses by itself what doesn't fit.

import { gibToBytes } from '../../base/units.ts';
import type { Volume } from '../../model/volume.ts';
import { type ApiContext, type ApiResponse, problem } from './route.ts';

/** A third of what a call has: the change itself comes after it. */
export const ASK_TIMEOUT_MS = 500;

/** A 409 when `volume` holds more than `reservedGib`; undefined when it doesn't, or nobody knows. */
export async function tooSmallFor(
  context: ApiContext,
  volume: Volume,
  reservedGib: number,
): Promise<ApiResponse | undefined> {
  if (volume.actual === null || reservedGib >= volume.actual.reserved_size) return undefined;
  const usedBytes = await usedBytesOf(context, volume);
  if (usedBytes === undefined || usedBytes <= gibToBytes(reservedGib)) return undefined;
  const message = `Volume ${volume.id} holds ${usedBytes} bytes; ask for more than that, or delete files.`;
  return problem(409, 'too_small', message, { used_bytes: usedBytes });
}

async function usedBytesOf(context: ApiContext, { id, node }: Volume): Promise<number | undefined> {
  const { usage, clock, log } = context;
  if (usage === undefined || node === null) return undefined;
  let cancel = (): void => {};
  const expiry = new Promise<undefined>((resolve) => {
    cancel = clock.after(ASK_TIMEOUT_MS, () => resolve(undefined));
  });
  try {
    return (await Promise.race([usage(node, id), expiry]))?.usedBytes;
  } catch (error) {
    log.info('usage.unknown', { volume: id, node, cause: error });
    return undefined;
  } finally {
    cancel();
  }
}
