// A run that is over, watched again: nothing changes, and nothing can be done to it.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { ClusterItem } from '../../rig/console/items.ts';
import { createReplay } from '../../rig/console/replay.ts';
import { readRunFile } from '../../rig/record-files.ts';
import { judgedRun } from '../judged-run.ts';
import { createHub } from './hub.ts';
import type { ConsoleSource } from './source.ts';

/** Throws `invalid` for what is no run's folder, and `conflict` for a run that goes on. */
export async function openRun(folder: string, clock: Clock): Promise<ConsoleSource> {
  const { etcdComplete, interrupted } = await readRunFile(folder);
  const { run, verdict, verdicts } = await judgedRun(folder);
  if (etcdComplete === undefined && interrupted === undefined && run.history.length === 0) {
    throw new RigError('conflict', `${folder} has nothing to show yet`, {
      next: 'Wait until the run has ended.',
    });
  }
  const title = `${run.scenario}, seed ${run.seed}: ${verdict}`;
  const limits = 'A run that is over: what is shown is its record, and nothing can be done to it.';
  const cluster: ClusterItem = { is: 'cluster', kind: 'run', title, folder, limits, gone: null };
  const hub = createHub(clock);
  hub.set('cluster', { cluster });
  const replay = createReplay({ run, verdicts, cluster });
  return { kind: 'run', title, hub, history: replay.history, forms: [], replay, done: Promise.resolve() };
}
