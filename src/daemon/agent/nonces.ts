// The nonces of calls that were answered, so that a call which somebody has recorded is not carried out again.
//
// They are remembered for a while, not for good: what a call does must be harmless even if it comes
// much later (agent/move/receiver.ts refuses copies that are here already).

import type { Clock } from '../../base/clock.ts';

const KEPT_MS = 15 * 60_000;
const MOST_KEPT = 50_000;

export interface Nonces {
  /** Whether it was never met before, as far as is remembered; it is from now on. */
  isNew(nonce: string): boolean;
}

export function createNonces(clock: Pick<Clock, 'monotonicMs'>, { most = MOST_KEPT } = {}): Nonces {
  /** When each was met, oldest first. */
  const met = new Map<string, number>();
  return {
    isNew: (nonce) => {
      const nowMs = clock.monotonicMs();
      for (const [old, metMs] of met) {
        if (nowMs - metMs < KEPT_MS && met.size <= most) break;
        met.delete(old);
      }
      if (met.has(nonce)) return false;
      met.set(nonce, nowMs);
      return true;
    },
  };
}
