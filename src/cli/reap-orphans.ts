// What was left by rigs that are no more, where the reaper of a rig could not remove it: its
// engine was stopped at the same time, say.

import { createSystemClock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { removeAbandonedFolders } from '../base/temporary-folder.ts';
import { readSettings } from '../cluster/settings.ts';
import { endLeftovers } from '../process/leftovers.ts';
import { readClusterFile } from '../rig/by-hand/cluster-file.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { listRuns, type RunOnEngine } from '../rig/docker/orphans.ts';
import { removeWhatComes } from '../rig/docker/removal.ts';
import { nameOf } from './cluster-name.ts';
import { labelOf } from './clusters.ts';
import { fitted } from './fitted.ts';

export interface ReapedRun {
  /** As people call it. */
  readonly cluster: string;
  /** What was, or would be, removed. */
  readonly removed: readonly string[];
  /** Why nothing was. */
  readonly left?: string;
}

/** Removes what belongs to nobody any more; with `isDry` it only tells. */
export async function reapOrphans({ isDry }: { readonly isDry: boolean }): Promise<readonly ReapedRun[]> {
  const processes = isDry ? [] : await reapProcesses();
  try {
    return [...processes, ...(await reapContainers(isDry))];
  } catch (error) {
    // Clusters of processes need no engine, and must not wait for one.
    if (!hasCode(error, 'machine')) throw error;
    const left = `not looked at: ${RigError.from(error).message}`;
    return [...processes, { cluster: 'containers', removed: [], left }];
  }
}

async function reapProcesses(): Promise<readonly ReapedRun[]> {
  const ended = await endLeftovers(createSystemClock());
  const folders = await removeAbandonedFolders();
  return [
    ...ended.map((runId) => ({ cluster: labelOf(runId), removed: ['its processes and their folder'] })),
    ...(folders.length === 0
      ? []
      : [{ cluster: 'a set-up', removed: folders.map((name) => `temporary folder ${name}`) }]),
  ];
}

async function reapContainers(isDry: boolean): Promise<readonly ReapedRun[]> {
  const docker = await connectEngine(readSettings().engine);
  const clock = createSystemClock();
  const reaped: ReapedRun[] = [];
  for (const run of await listRuns(docker)) {
    const { runId, things } = run;
    const left = whyLeft(run, await isKept(run));
    if (left === undefined && !isDry) await removeWhatComes({ docker, clock, runId });
    const cluster = labelOf(runId);
    reaped.push(left === undefined ? { cluster, removed: things } : { cluster, removed: [], left });
  }
  return reaped;
}

/** Undefined where its folder can't be read from here. */
async function isKept({ runId, folder }: RunOnEngine): Promise<boolean | undefined> {
  // Compose has made no container yet: there is nothing that anybody could keep.
  if (folder === undefined) return false;
  try {
    const file = await readClusterFile(folder);
    return file.runId === runId ? file.isKept : undefined;
  } catch (error) {
    if (hasCode(error, 'invalid')) return undefined;
    throw error;
  }
}

/** Undefined for what is nobody's. */
export function whyLeft(run: RunOnEngine, isKept: boolean | undefined): string | undefined {
  const name = nameOf(run.runId);
  const removal = name === undefined ? `rig down --run ${run.runId}` : `rig down --name ${name}`;
  if (run.isGuarded === true) return 'its rig is at work, or its reaper is removing it';
  if (run.isGuarded === undefined)
    return `nothing tells whether its rig is still there; ${removal} removes it`;
  if (isKept === true) return `it was left up on purpose; ${removal} removes it`;
  if (isKept === false) return undefined;
  return `whether it was left up on purpose is told in ${run.folder}, which can't be read here; ${removal} removes it`;
}

/** A line a thing. */
export function tellReaped(reaped: readonly ReapedRun[], { isDry }: { readonly isDry: boolean }): void {
  const lines = reaped.flatMap(({ cluster, removed, left }) =>
    left === undefined
      ? removed.map((thing) => `${isDry ? 'would remove' : 'removed'} ${thing} of ${cluster}`)
      : [`left ${cluster}: ${left}`],
  );
  const all = lines.length === 0 ? ['nothing to do: nothing is left of any rig'] : lines;
  process.stdout.write(`${all.map((line) => fitted(line, '  ')).join('\n')}\n`);
}
