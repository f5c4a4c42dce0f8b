// Whether the cluster is well while no fault bites: it is looked at before the first
// and after the last, until it is or the bound is over.

import { RigError } from '../../base/errors.ts';
import type { ExpectationEvent } from '../history.ts';
import type { Observation } from '../observation.ts';
import { RECOVERY_MS, type Topology } from '../topology.ts';
import type { Site } from './fault.ts';

export interface Health {
  readonly boundMs: number;
  look(): Promise<Observation>;
}

const LOOK_EVERY_MS = 100;

/** Leases of the dead run out, whoever comes back compares all there is, and starts before that. */
export const healthBoundMs = ({ settings }: Pick<Topology, 'settings'>): number =>
  1_000 * settings.leaseTtlSeconds + settings.reconcileIntervalMs + RECOVERY_MS;

/**
 * What came of it. With `isSetup` a cluster that is not well says nothing about the system.
 * Throws `machine` and `aborted`.
 */
export async function checkHealth(
  { clock, signal, deadline }: Site,
  { boundMs, look }: Health,
  { what, isSetup }: { readonly what: string; readonly isSetup: boolean },
): Promise<Omit<ExpectationEvent, 'atMs'>> {
  const fromMs = clock.monotonicMs();
  const isOver = deadline(boundMs);
  for (;;) {
    signal.throwIfAborted();
    const { outcome, seen } = await lookOnce(look);
    const measuredMs = Math.round(clock.monotonicMs() - fromMs);
    if (outcome === 'met' || isOver()) {
      const judged = outcome === 'missed' && isSetup ? 'unseen' : outcome;
      const bound = outcome === 'met' && isSetup ? {} : { boundMs };
      return { type: 'expectation', what, outcome: judged, ...bound, measuredMs, seen };
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function lookOnce(look: Health['look']): Promise<Pick<ExpectationEvent, 'outcome' | 'seen'>> {
  try {
    const { holds, seen } = await look();
    return { outcome: holds ? 'met' : 'missed', seen };
  } catch (error) {
    const { code, message } = RigError.from(error);
    if (code === 'machine' || code === 'aborted') throw error;
    return { outcome: 'unseen', seen: message };
  }
}
