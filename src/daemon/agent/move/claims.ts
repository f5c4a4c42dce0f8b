// Who may export a volume that is on its way: the handover, and the certainty
// that none is under way.
//
// The answer to a handover may be lost, or whoever waits for it may die. It may
// then be committed at any time, even after a read that still shows the volume
// here. What rules it out is another write to the key, after which the
// handover's compare must fail. One that was committed in an etcd of which this
// is a backup is ruled out by the other node alone (doubts.ts).

import { hasCode, RigError } from '../../../base/errors.ts';
import { delayed, handedOver } from '../../../model/changes.ts';
import { isOnItsWay } from '../../../model/volume.ts';
import { authorOf, replace } from '../stored.ts';
import { type Doubts, doubtReason } from './doubts.ts';
import type { MoverOptions, StoredVolume } from './types.ts';

export interface Claims {
  /** As Mover.claim. */
  claim(stored: StoredVolume): Promise<boolean>;
  /**
   * False: lost, the volume has changed. Rejects as the store does; nobody knows then, until it is claimed. What is
   * under way may end after it was claimed, too.
   */
  handOver(stored: StoredVolume, copy: string): Promise<boolean>;
  /** A handover by this process was sent and not heard of. */
  isUncertain(id: string): boolean;
  /** As far as is known without asking anybody, it may have been handed over: by this process, or by one before it. */
  mayBeGiven(id: string): boolean;
}

export function createClaims(
  options: Pick<MoverOptions, 'kv' | 'clock' | 'node' | 'log' | 'binding'> & { readonly doubts: Doubts },
): Claims {
  const { kv, log, node, binding, doubts } = options;
  /** By volume: at this revision or later no handover is under way. None is known of after a start. */
  const claimed = new Map<string, number>();
  /** By volume: the handover that nobody has heard of yet. */
  const uncertain = new Map<string, object>();

  /** The volume is claimed, and another node may have it nevertheless. As `claim`. */
  const settle = async (stored: StoredVolume, to: string): Promise<boolean> => {
    const { volume } = stored;
    const { id } = volume;
    await doubts.requireAnswer(id, to);
    const isTold = volume.control.error === doubtReason({ from: node, to });
    if (isTold && !(await replace(kv, stored, delayed(volume, null, authorOf(options)))).succeeded)
      return false;
    doubts.forget(id);
    await binding.stay(id);
    log.info('move.settled', { volume: id, to });
    return !isTold;
  };

  return {
    isUncertain: (id) => uncertain.has(id),
    mayBeGiven: (id) => uncertain.has(id) || binding.leaving(id) !== undefined,
    claim: async (stored) => {
      const { volume, modRevision } = stored;
      const { id } = volume;
      const to = binding.leaving(id);
      if (to === undefined && !isOnItsWay(volume)) return true;
      if (modRevision >= (claimed.get(id) ?? Number.POSITIVE_INFINITY)) {
        return to === undefined || settle(stored, to);
      }
      const reason = to === undefined ? volume.control.error : doubtReason({ from: node, to });
      const { succeeded, revision } = await replace(kv, stored, delayed(volume, reason, authorOf(options)));
      if (succeeded) {
        claimed.set(id, revision);
        uncertain.delete(id);
        log.info('move.claimed', { volume: id });
      }
      return false;
    },
    handOver: async (stored, copy) => {
      const { id } = stored.volume;
      const before = claimed.get(id);
      const mine = {};
      claimed.delete(id);
      uncertain.set(id, mine);
      const certain = (): void => {
        // Heard of too late: it was ruled out meanwhile, and there may be another one.
        if (uncertain.get(id) !== mine) return;
        uncertain.delete(id);
        if (before !== undefined) claimed.set(id, before);
      };
      try {
        const given = handedOver(stored.volume, copy, authorOf(options));
        const { succeeded } = await replace(kv, stored, given);
        if (!succeeded) certain();
        else if (uncertain.get(id) === mine) uncertain.delete(id);
        return succeeded;
      } catch (error) {
        // Only what certainly had no effect leaves things as they were.
        if (error instanceof RigError && error.definite && !hasCode(error, 'timeout')) certain();
        throw error;
      }
    },
  };
}
