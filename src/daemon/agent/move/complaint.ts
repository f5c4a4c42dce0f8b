// What people and the engine are told of a move that doesn't get on: written to the volume, until it does.

import { delayed, MOVE_FAILED_PREFIX } from '../../../model/changes.ts';
import { LONGEST_REASON } from '../../../model/reason.ts';
import { authorOf, replace } from '../stored.ts';
import { readStored, targetOf } from './context.ts';
import { MISMATCH_MARK } from './copy-names.ts';
import type { Correspondence } from './sending.ts';
import type { MoverOptions } from './types.ts';

type ComplaintOptions = Pick<MoverOptions, 'kv' | 'clock' | 'node' | 'binding' | 'log'>;

/** Says why; once for each reason. */
export async function complain(
  options: ComplaintOptions,
  correspondence: Correspondence,
  cause: Error,
): Promise<void> {
  const { target } = correspondence;
  // Each attempt has copies of other names. Named here, they would make a new reason of each.
  const reason = cause.message
    .replace(/\b[0-9a-f]{16}-\d{1,4}\b/g, (name) => (name === MISMATCH_MARK ? name : '…'))
    .slice(0, LONGEST_REASON);
  await tell(options, correspondence, `${MOVE_FAILED_PREFIX}to node ${target}: ${reason}`);
}

/** What the complaint was about has gone well now. */
export async function withdraw(options: ComplaintOptions, correspondence: Correspondence): Promise<void> {
  await tell(options, correspondence, null);
}

/** Nothing, if the volume has changed or the store can't be reached: the next attempt has another go. */
async function tell(
  options: ComplaintOptions,
  { id, target }: Correspondence,
  text: string | null,
): Promise<void> {
  try {
    const stored = await readStored(options, id);
    if (stored === undefined || targetOf(stored.volume, options.node) !== target) return;
    const { error } = stored.volume.control;
    const isToldSo = text === null ? error?.startsWith(MOVE_FAILED_PREFIX) !== true : error === text;
    if (isToldSo) return;
    await replace(options.kv, stored, delayed(stored.volume, text, authorOf(options)));
  } catch (cause) {
    options.log.debug('move.not-told', { volume: id, cause });
  }
}
