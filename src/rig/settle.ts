// Nothing is judged that is still on its way: after the script the rig waits
// until the cluster has come to rest.

import type { Clock } from '../base/clock.ts';
import { hasCode } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { sameRules } from '../model/export.ts';
import { isStuck } from '../model/volume.ts';
import { deadline, LONGEST_EXTRA_MS } from './checks/work-clock.ts';
import type { Deployment } from './deployment.ts';
import type { Journal } from './journal.ts';
import { observeConverged } from './node-conditions.ts';
import type { Recorder } from './recorder.ts';
import { volumesOf } from './stage.ts';
import { presentNodes } from './topology.ts';

/**
 * After the script everything must settle within this, plus a lease's life and two intervals, by the work clock. The last
 * to go is what a broken-off move has left: an agent's second comparison finds it, and between two it rests four times as
 * long as one takes. Longer than the checks allow for any of it (ends.ts, residence.ts), so that what is stuck shows.
 */
const SETTLE_MS = 30_000;
/** A volume that can't go on has so long to find a way, as by the engine's next attempt. */
const STUCK_MS = 15_000;

/** Waits until no volume is on its way and none has left anything behind, or the time is up. */
export async function settle(options: {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly deployment: Deployment;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, journal, recorder, deployment, signal } = options;
  const { settings } = deployment.topology;
  const mayBeStuck = deadline(journal, STUCK_MS);
  const settleMs = SETTLE_MS + settings.leaseTtlSeconds * 1000 + 2 * settings.reconcileIntervalMs;
  const isOver = deadline(journal, settleMs);
  const busy = () =>
    volumesOf(recorder).filter((volume) => {
      if (volume.state === 'ready') return !sameRules(volume.actual?.exports ?? [], volume.exports);
      return !mayBeStuck() || !isStuck(volume);
    });
  // To look into every node takes a while: only where a move may have left something.
  const leftovers = haveMoved(options.journal) ? () => whereLeftovers(options, mayBeStuck()) : async () => [];
  try {
    await waitFor({
      clock,
      what: 'every volume to be ready with its exports applied, or gone',
      timeoutMs: settleMs + LONGEST_EXTRA_MS,
      signal,
      probe: async () =>
        isOver() || (busy().length === 0 && (await leftovers()).length === 0) ? true : undefined,
    });
  } catch (error) {
    // Not settling is for the checks to judge; they see the same state.
    if (!hasCode(error, 'timeout')) throw error;
  }
}

const haveMoved = ({ etcd }: Journal): boolean =>
  etcd.some(({ value }) => value?.includes('"state":"moving"') === true);

async function whereLeftovers(
  { deployment, recorder }: { readonly deployment: Deployment; readonly recorder: Recorder },
  mayBeStuck: boolean,
): Promise<readonly string[]> {
  const found = await Promise.all(
    presentNodes(deployment.topology).map(async ({ name }) => {
      if ((await deployment.state(name)) !== 'running') return [];
      const { holds } = await observeConverged({ deployment, recorder }, name, { mayBeStuck });
      return holds ? [] : [name];
    }),
  );
  return found.flat();
}
