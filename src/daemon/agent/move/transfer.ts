// The source's side of a move, up to the handover: all of the volume while it
// is in use, then what has changed meanwhile, as long as that is much, and then
// the cutover, which takes as long as the last difference.

import type { Turns } from '../../../base/turns.ts';
import { withdraw } from './complaint.ts';
import { inTurn, readStored, targetOf } from './context.ts';
import { createCopyNames } from './copy-names.ts';
import { type Attempt, type CutoverOptions, cutOver } from './cutover.ts';
import { type Correspondence, commonBase, sendCopy } from './sending.ts';
import type { MoverOptions } from './types.ts';

/** A difference that was sent so fast is small enough for a cutover. */
const QUICK_MS = 1000;
/** Where clients write faster than is sent, another round doesn't make the difference smaller. */
const MOST_ROUNDS = 3;

/** Resolves when the volume is the other node's, or etcd has changed: look again. Rejects if it should be tried later. */
export async function transfer(
  options: CutoverOptions & {
    /** Those of this node. */
    readonly cutovers: Turns;
  },
  attempt: Attempt,
): Promise<void> {
  const { clock, random, log, storage, peers, claims } = options;
  const { correspondence, signal } = attempt;
  const { id, target } = correspondence;
  correspondence.stage = 'copies';
  const stored = await readStored(options, id);
  if (stored === undefined || targetOf(stored.volume, options.node) !== target) return;
  const here = (await storage.copies()).filter((copy) => copy.id === id).map(({ name }) => name);
  // The last copy of a handover that may still be committed, by an earlier process of this node too, must not be
  // tidied away: the volume would be the other node's without it.
  const mayBeGiven = claims.mayBeGiven(id) || here.length > 0;
  if (mayBeGiven && !(await claims.claim(stored))) return;
  const there = await peers.copies(target, id, signal);
  let base = await commonBase(options, correspondence, { here, there, signal });
  const nextName = createCopyNames({ modRevision: stored.modRevision, random, known: [...here, ...there] });
  const startedMs = clock.monotonicMs();
  log.info('move.started', { volume: id, to: target, attempt: attempt.failures, base });
  let number = 0;
  for (let isSmall = false; !isSmall && number <= MOST_ROUNDS; number += 1) {
    const round = { name: nextName(), base, number, isLast: false, signal };
    const sent = await sendCopy(options, correspondence, round);
    if (number === 0 && correspondence.trouble?.stage !== 'cutover') {
      correspondence.trouble = null;
      await withdraw(options, correspondence);
    }
    if (base !== null) await tidy(options, correspondence, base);
    base = sent.name;
    isSmall = sent.ms <= QUICK_MS;
  }
  correspondence.stage = 'cutover';
  const last = { name: nextName(), base, number, startedMs };
  await options.cutovers.take(signal, () =>
    inTurn(options.queue, { id, signal }, () => cutOver(options, attempt, last)),
  );
}

/** Copies that newer ones have made superfluous. Those that remain go when the move is over. */
async function tidy(
  { storage, peers, log }: MoverOptions,
  { id, target, confirmed }: Correspondence,
  name: string,
): Promise<void> {
  confirmed.delete(name);
  try {
    await peers.discard(target, { id, name });
    await storage.discard({ id, name });
  } catch (cause) {
    log.debug('move.not-tidied', { volume: id, copy: name, cause });
  }
}
