// The end of a move's first part: nobody exports the volume any more, the last
// difference goes over, and then the volume is the other node's.

import { answerUnless } from '../../../base/abortable.ts';
import { abortError } from '../../../base/clock.ts';
import { RigError } from '../../../base/errors.ts';
import { isHandedOver, moveTaskOf, type Volume } from '../../../model/volume.ts';
import type { Claims } from './claims.ts';
import { readStored, targetOf } from './context.ts';
import type { Outages } from './outages.ts';
import { type Correspondence, type Sent, sendCopy } from './sending.ts';
import type { MoverOptions, StoredVolume } from './types.ts';

const HANDOVERS = 8;

export type CutoverOptions = MoverOptions & { readonly claims: Claims; readonly outages: Outages };

export interface Attempt {
  readonly correspondence: Correspondence;
  readonly signal: AbortSignal;
  /** Attempts before this one. */
  readonly failures: number;
}

export interface LastCopy {
  readonly name: string;
  readonly base: string | null;
  /** Of its round. */
  readonly number: number;
  /** When the attempt began, on the monotonic clock. */
  readonly startedMs: number;
}

/** In the volume's turn: no job of the queue exports it meanwhile. */
export async function cutOver(
  options: CutoverOptions,
  { correspondence, signal }: Attempt,
  last: LastCopy,
): Promise<void> {
  const { clock, log, failpoints, queue, outages, binding, claims } = options;
  const { id, target } = correspondence;
  const stored = await readStored(options, id);
  if (stored === undefined || targetOf(stored.volume, options.node) !== target) return;
  // Should this process die right after the handover, no store of before this moment may have it export the volume
  // again, and one of after it only with the new node's consent. Clients need not wait for this mark: they still have
  // the volume.
  await binding.leave(id, target);
  const unexportedAtMs = clock.monotonicMs();
  const limit = limited(options, { id, signal });
  let isOver = false;
  const given = giveAway(options, { correspondence, stored, signal: limit.signal }, last);
  try {
    // A disk or a store that hangs doesn't keep the volume from its clients: what is under way hands nothing over
    // any more, and whatever handover it has sent is ruled out before the volume is exported again.
    const sent = await answerUnless(given, limit.passed, () => new RigError('timeout', 'it was given up'));
    if (sent === undefined) return;
    isOver = true;
    log.info('move.handed-over', {
      volume: id,
      to: target,
      copy: last.name,
      lastMs: sent.ms,
      unexportedMs: Math.round(clock.monotonicMs() - unexportedAtMs),
      totalMs: Math.round(clock.monotonicMs() - last.startedMs),
    });
    await failpoints.reach('move/after-handover');
    // A store that lacks the handover would have this node export what is in use at the other one.
    await binding.left(id);
  } catch (error) {
    throw limit.passed.aborted && !isOver ? outages.tooLong(id, error) : error;
  } finally {
    limit.cancel();
    if (isOver) outages.forget(id);
    else {
      outages.givenUp(id, unexportedAtMs);
      // What hung may come late, and end the export that was made again meanwhile.
      given.catch(() => undefined).finally(() => queue.add(id, { look: true }));
      if (!claims.isUncertain(id)) {
        // Clients need not wait for this either.
        binding.stay(id).catch((cause: unknown) => log.warn('move.not-told', { volume: id, cause }));
      }
      // It is still ours as far as anybody knows: the next job exports it again, once it is claimed.
      queue.add(id, { look: true });
    }
  }
}

/** Answers with what was sent; undefined when the move was called off. */
async function giveAway(
  options: CutoverOptions,
  work: {
    readonly correspondence: Correspondence;
    readonly stored: StoredVolume;
    readonly signal: AbortSignal;
  },
  { name, base, number }: LastCopy,
): Promise<Sent | undefined> {
  const { correspondence, stored, signal } = work;
  const { log, exporter, failpoints } = options;
  const { id, target } = correspondence;
  await exporter.remove(id);
  if (signal.aborted) throw abortError(signal);
  log.info('move.cutover', { volume: id, to: target });
  await failpoints.reach('move/after-cutover');
  const sent = await sendCopy(options, correspondence, { name, base, number, isLast: true, signal });
  await failpoints.reach('move/before-handover');
  return (await handOver(options, { stored, target, copy: name, signal })) ? sent : undefined;
}

/**
 * False when the move was called off. What clients change meanwhile doesn't matter: nobody writes to the volume.
 * Nothing is sent once the signal has fired.
 */
async function handOver(
  options: CutoverOptions,
  handover: {
    readonly stored: StoredVolume;
    readonly target: string;
    readonly copy: string;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { stored, target, copy, signal } = handover;
  let current: StoredVolume | undefined = stored;
  for (let attempt = 0; attempt < HANDOVERS && current !== undefined; attempt += 1) {
    // Done already, by a call that the store repeated after its answer was lost.
    if (isGiven(current.volume, { target, copy })) return true;
    if (targetOf(current.volume, options.node) !== target) return false;
    if (signal.aborted) throw abortError(signal);
    if (await options.claims.handOver(current, copy)) return true;
    current = await readStored(options, stored.volume.id);
  }
  return current !== undefined && isGiven(current.volume, { target, copy });
}

function isGiven(
  volume: Volume,
  { target, copy }: { readonly target: string; readonly copy: string },
): boolean {
  return isHandedOver(volume) && volume.node === target && moveTaskOf(volume)?.copy === copy;
}

/** `signal` also fires when clients have waited long enough (`passed`). */
function limited(
  { clock, log, outages }: CutoverOptions,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): { readonly signal: AbortSignal; readonly passed: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  const limitMs = outages.limitMs(id);
  const cancel = clock.after(limitMs, () => {
    log.warn('move.cutover-too-long', { volume: id, limitMs });
    controller.abort();
  });
  const both = AbortSignal.any([signal, controller.signal]);
  return { signal: both, passed: controller.signal, cancel };
}
