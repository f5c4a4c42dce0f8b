// Writing down in etcd what was done about a volume, if it is still as it was read.

import type { Clock } from '../../base/clock.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import type { Kv } from '../../kv/kv.ts';
import { type Author, completed, delayed, exported, failed, made, rewritten } from '../../model/changes.ts';
import { isHandedOver, TRANSITIONS, type Volume } from '../../model/volume.ts';
import type { Conclusion } from './decision.ts';
import type { StoredVolume } from './move/types.ts';
import { authorOf, replace } from './stored.ts';

export interface ConcludeOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoints: Failpoints;
  readonly node: string;
}

/** False if the volume has changed since it was read: nothing was written then. */
export async function conclude(
  options: ConcludeOptions,
  stored: StoredVolume,
  conclusion: Conclusion,
): Promise<boolean> {
  const { kv, log, failpoints } = options;
  const { volume } = stored;
  const changed = changedBy(volume, conclusion, authorOf(options));
  if (changed === undefined) return true;
  await failpoints.reach('agent/before-conclude');
  const { succeeded } = await replace(kv, stored, changed);
  await failpoints.reach('agent/after-conclude');
  if (!succeeded) {
    log.debug('volume.changed-meanwhile', { volume: volume.id, conclusion: conclusion.kind });
    return false;
  }
  if (conclusion.kind === 'forget') log.info('volume.deleted', { volume: volume.id });
  if (conclusion.kind === 'complete' || conclusion.kind === 'rewritten') {
    log.info('volume.ready', { volume: volume.id, after: volume.state });
  }
  if (conclusion.kind === 'fail') {
    log.warn('volume.failed', { volume: volume.id, state: volume.state, reason: conclusion.reason });
  }
  return true;
}

/** Null: to be deleted. Undefined when etcd says it already, or there is no legal way to say it. */
function changedBy(volume: Volume, conclusion: Conclusion, author: Author): Volume | null | undefined {
  switch (conclusion.kind) {
    case 'forget':
      return null;
    case 'record-made':
      return made(volume, author, conclusion);
    case 'complete':
      return completed(volume, author, conclusion);
    case 'rewritten':
      return rewritten(volume, conclusion, author);
    case 'record-exports':
      return exported(volume, author);
    case 'fail':
      if (canFail(volume)) return failed(volume, conclusion.reason, author);
      // It stays in its state, and is tried again at the next reconciliation.
      return !goesOn(volume) || volume.control.error === conclusion.reason
        ? undefined
        : delayed(volume, conclusion.reason, author);
  }
}

/**
 * What can't be given up, only tried until it works: a deletion, because the retry of an error would be a
 * resurrection; and the making of a volume that its old node has let go of.
 */
function goesOn(volume: Volume): boolean {
  return volume.state === 'deleting' || isHandedOver(volume);
}

function canFail(volume: Volume): boolean {
  const isLegal = TRANSITIONS.some(
    ({ from, to, by }) => from === volume.state && to === 'error' && by.includes('agent'),
  );
  return isLegal && !goesOn(volume);
}
