// Which volumes are gone because a client wanted them to be.

import type { RecordedRun } from '../history.ts';
import { calls } from './calls.ts';
import { volumeSteps } from './volume-history.ts';

const VOLUME = /^\/volumes\/([^/?]+)$/;

/** Those whose deletion etcd shows, and a client had asked for by then: one that was refused has not. */
export function deletedByClients(run: RecordedRun): ReadonlySet<string> {
  const askedMs = new Map<string, number>();
  for (const { operation, completion, invokedMs } of calls(run)) {
    if (operation.kind !== 'http' || operation.method !== 'DELETE' || completion?.phase === 'fail') continue;
    const [, id] = VOLUME.exec(operation.path) ?? [];
    if (id !== undefined && !askedMs.has(id)) askedMs.set(id, invokedMs);
  }
  const begun = new Map<string, number>();
  for (const { event, id, after } of volumeSteps(run)) {
    const isDeletion = event.kind === 'delete' || after?.state === 'deleting';
    if (isDeletion && !begun.has(id)) begun.set(id, event.atMs);
  }
  return new Set(
    [...begun].flatMap(([id, atMs]) => ((askedMs.get(id) ?? Number.POSITIVE_INFINITY) <= atMs ? [id] : [])),
  );
}
