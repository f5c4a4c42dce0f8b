// A copy on its way from one disk to another, whole or as things go wrong. Runs beside the storages: in
// the test for the modelled disk, in the node's container for the real one.

import { RigError } from '../../../src/base/errors.ts';
import type { Bytes, Copy, Storage } from '../../../src/storage/storage.ts';

export interface Transfer {
  readonly copy: Copy;
  readonly base?: string;
  /** What becomes of the stream; `whole` if not given. */
  readonly fate?: Fate;
}

/** `purged`: a purge of the receiving disk comes in the middle. `cut`: it ends before its last bytes. `broken`: it throws halfway. `damaged`: a byte of it is another. */
export type Fate = 'whole' | 'purged' | 'cut' | 'broken' | 'damaged' | 'empty';

/** Answers with the length of the stream. */
export async function transfer(
  { copy, base, fate = 'whole' }: Transfer,
  { from, to }: { readonly from: Storage; readonly to: Storage },
): Promise<number> {
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of from.send(copy, base === undefined ? {} : { base })) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const purged = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of counted()) {
      yield chunk.subarray(0, 1);
      await to.purgeTrash({ olderThanMs: 0 });
      yield chunk.subarray(1);
    }
  };
  if (fate === 'purged') await to.receive(copy, purged());
  else await to.receive(copy, fate === 'whole' ? counted() : spoilt(counted(), fate));
  return bytes;
}

/** Reads the beginning of the stream and no more. */
export async function abandon(copy: Copy, from: Storage): Promise<number> {
  for await (const chunk of from.send(copy)) return chunk.length;
  return 0;
}

async function* spoilt(stream: Bytes, fate: Fate): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  if (fate === 'empty') return;
  if (fate === 'damaged')
    whole[Math.floor(whole.length / 2)] = (whole[Math.floor(whole.length / 2)] ?? 0) ^ 1;
  if (fate === 'cut') yield whole.subarray(0, -1);
  else if (fate === 'damaged') yield whole;
  else {
    yield whole.subarray(0, whole.length / 2);
    throw new RigError('unavailable', 'the other node is gone');
  }
}
