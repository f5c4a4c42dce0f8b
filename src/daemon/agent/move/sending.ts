// One copy, frozen here and sent to the new node, which must have received
// exactly what was sent.

import { measured } from '../../../base/digest.ts';
import { hasCode, RigError } from '../../../base/errors.ts';
import { hasCopy } from './context.ts';
import { newest } from './copy-names.ts';
import type { Stage, Trouble } from './trouble.ts';
import type { MoverOptions } from './types.ts';

/** What one node has sent the other of one volume, as far as this process knows. */
export interface Correspondence {
  readonly id: string;
  readonly target: string;
  /** Copies that are the same on both disks. */
  readonly confirmed: Set<string>;
  /** Copies from which the other side could make nothing. */
  readonly unusable: Set<string>;
  /** How far the attempt has come that is under way, or was the last one. */
  stage: Stage;
  /** Null while it gets on. */
  trouble: Trouble | null;
}

export function createCorrespondence(id: string, target: string): Correspondence {
  const copies = { confirmed: new Set<string>(), unusable: new Set<string>() };
  return { id, target, ...copies, stage: 'copies', trouble: null };
}

export interface Sent {
  readonly name: string;
  readonly ms: number;
}

type SendOptions = Pick<MoverOptions, 'clock' | 'log' | 'storage' | 'peers' | 'failpoints'>;

/** Freezes the volume as it is now, and sends it; only the difference to `base` if that isn't null. */
export async function sendCopy(
  options: SendOptions,
  { id, target, confirmed, unusable }: Correspondence,
  round: {
    readonly name: string;
    readonly base: string | null;
    /** Which of this attempt's, from 0. */
    readonly number: number;
    /** Nobody exports the volume meanwhile. */
    readonly isLast: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Sent> {
  const { clock, log, storage, peers, failpoints } = options;
  const { name, base, signal } = round;
  const copy = { id, name };
  const startedMs = clock.monotonicMs();
  try {
    await storage.freeze(copy);
    await failpoints.reach('move/after-freeze');
    const { stream, bytes, sha256 } = measured(storage.send(copy, base === null ? {} : { base }));
    const received = await peers.send(target, copy, { body: stream, base, signal });
    if (received !== sha256()) {
      await peers.discard(target, copy, signal);
      throw new RigError('io', `copy ${name} of volume ${id} has reached node ${target} as other bytes`);
    }
    await failpoints.reach('move/after-send');
    confirmed.add(name);
    const ms = Math.round(clock.monotonicMs() - startedMs);
    const incremental = base !== null;
    log.info('move.sent', {
      volume: id,
      to: target,
      copy: name,
      round: round.number,
      cutover: round.isLast,
      incremental,
      bytes: bytes(),
      ms,
    });
    return { name, ms };
  } catch (error) {
    // The other side may be unable to go by this base: the next attempt does without.
    if (base !== null && !hasCode(error, 'unavailable', 'timeout', 'aborted')) unusable.add(base);
    await storage.discard(copy).catch((cause: unknown) => log.warn('move.not-tidied', { volume: id, cause }));
    throw error;
  }
}

/**
 * The last copy that both disks have, from which the next one may differ; null when there is none. One that an
 * earlier process sent is compared: nobody remembers that it arrived whole.
 */
export async function commonBase(
  options: SendOptions,
  { id, target, confirmed, unusable }: Correspondence,
  found: {
    readonly here: readonly string[];
    readonly there: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<string | null> {
  const { storage, peers, log } = options;
  const common = found.here.filter((name) => found.there.includes(name) && !unusable.has(name));
  const name = newest(common);
  if (name === undefined) return null;
  if (confirmed.has(name)) return name;
  const copy = { id, name };
  let ours: string;
  let theirs: string;
  try {
    ours = await storage.digest(copy, found.signal);
    theirs = await peers.digest(target, copy, found.signal);
  } catch (error) {
    // An earlier move that is clearing up behind itself may have discarded it, here or there, since it was listed.
    if (!hasCode(error, 'not_found') && (await hasCopy(options, copy))) throw error;
    unusable.add(name);
    return null;
  }
  log.info('move.resumed', { volume: id, to: target, copy: name, same: ours === theirs });
  (ours === theirs ? confirmed : unusable).add(name);
  return ours === theirs ? name : null;
}
