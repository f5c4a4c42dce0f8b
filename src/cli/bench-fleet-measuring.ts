// What the measurements of a fleet have in common.

import type { Clock } from '../base/clock.ts';
import { hasCode } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { RunningCluster } from '../fleet/run.ts';

export interface StepOptions {
  readonly nodes: number;
  readonly heartbeat: number;
  /** Of the window that is measured, after all have registered. */
  readonly seconds: number;
  /** Instead of the window: a tenth of the nodes dies, and volumes that they were to create are looked after. */
  readonly deaths: boolean;
}

export interface Measuring extends StepOptions {
  readonly running: RunningCluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly rssBefore: number;
}

/** Resolves when all are registered; to false when they aren't in time. */
export async function allRegistered({ running, clock, signal, heartbeat }: Measuring): Promise<boolean> {
  try {
    await waitFor({
      ...{ clock, signal, intervalMs: 200, timeoutMs: heartbeat * 3000 + 120_000 },
      what: 'all nodes to register',
      probe: async () => running.isComplete() || undefined,
    });
    return true;
  } catch (error) {
    if (hasCode(error, 'timeout')) return false;
    throw error;
  }
}
