// Answers of 202 to what etcd never held: whoever got one was told of a change that was not made.

import { SPECS_PREFIX, specKey } from '../../kv/keys.ts';
import type { Volume } from '../../model/volume.ts';
import type { RecordedRun } from '../history.ts';
import { calls } from './calls.ts';
import { revisionOf, textOf } from './linearizability/volume-view.ts';
import { seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';

export interface Lost {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** An answer of 202 whose volume etcd never held so. */
export function firstLostVolume(run: RecordedRun): Lost | undefined {
  const stored = new Set(volumeSteps(run).map(({ after }) => stamp(after)));
  for (const { call, operation, process, completion } of calls(run)) {
    if (operation.kind !== 'http' || !operation.path.startsWith('/volumes') || completion?.status !== 202)
      continue;
    const volume = completion.body as Volume | undefined;
    if (volume?.control === undefined || stored.has(stamp(volume))) continue;
    return {
      reason: `volume ${volume.id} was accepted, and never stored as the answer says`,
      lines: [
        `${seconds(completion.atMs)}: ${operation.method} ${operation.path} at ${operation.node} by ${process} ` +
          `(call ${call}): 202, ${volume.state}`,
      ],
    };
  }
  return undefined;
}

/** What tells one write of a volume from another. */
const stamp = (volume: Volume | undefined): string =>
  volume === undefined
    ? ''
    : JSON.stringify([
        volume.id,
        volume.state,
        volume.requested.reserved_size,
        volume.control.updated,
        volume.control.writer.node,
      ]);

/** An answer of 202 to a change of a node that etcd never held so, at the revision that the answer is of. */
export function firstLostSpec(run: RecordedRun): Lost | undefined {
  const stored = new Map(
    run.etcd.flatMap(({ key, revision, value }) =>
      key.startsWith(SPECS_PREFIX) ? [[`${revision} ${key}`, value] as const] : [],
    ),
  );
  for (const { call, operation, process, completion } of calls(run)) {
    if (operation.kind !== 'http' || operation.method !== 'PUT' || completion?.status !== 202) continue;
    const name = /^\/nodes\/([^/?]+)$/.exec(operation.path)?.[1];
    const revision = revisionOf(completion.etag);
    if (name === undefined || revision === undefined) continue;
    const spec = fieldsOf(stored.get(`${revision} ${specKey(name)}`));
    const asked = Object.entries(operation.body ?? {});
    if (asked.every(([field, value]) => textOf(spec[field]) === textOf(value))) continue;
    return {
      reason: `a change of node ${name} was accepted, and never stored as the client asked for it`,
      lines: [
        `${seconds(completion.atMs)}: PUT ${operation.path} ${JSON.stringify(operation.body)} at ${operation.node} ` +
          `by ${process} (call ${call}): 202, revision ${revision}`,
      ],
    };
  }
  return undefined;
}

/** Of the object that etcd held; none of what isn't one. */
function fieldsOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(text ?? '{}') as object) };
  } catch {
    return {};
  }
}
