// Changes that were made on condition of an ETag, held against etcd's own history: the order of the clients' calls
// leaves open what engines and agents changed in between, but etcd knows which revision a change took the place of.

import { volumeKey } from '../../../kv/keys.ts';
import type { RecordedRun } from '../../history.ts';
import { calls } from '../calls.ts';
import { seconds } from '../verdict.ts';
import { tagsOf } from './volume-calls.ts';
import { revisionOf } from './volume-view.ts';

export interface BrokenCondition {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** The first change that was accepted, or not needed, although the volume had another revision by then than the client asked for. */
export function brokenCondition(run: RecordedRun): BrokenCondition | undefined {
  // What is missing may be what the client asked for.
  if (!run.etcdComplete) return undefined;
  const replaced = replacedRevisions(run);
  for (const { call, process, operation, invokedMs, completion } of calls(run)) {
    if (operation.kind !== 'http' || operation.ifMatch === undefined) continue;
    const [, collection, id = ''] = operation.path.split('/');
    const wanted = tagsOf(operation.ifMatch);
    const seen = revisionOf(completion?.etag);
    if (collection !== 'volumes' || wanted === undefined || seen === undefined) continue;
    const asked = `${seconds(invokedMs)}: ${operation.method} ${operation.path} by ${process} if it is at ${operation.ifMatch} (call ${call})`;
    const before = replaced.get(`${volumeKey(id)} ${seen}`);
    if (completion?.status === 202 && before !== undefined && !wanted.includes(before)) {
      return {
        reason: `volume ${id} was changed on a condition that it didn't fulfil`,
        lines: [asked, `revision ${seen} of etcd took the place of revision ${before}`],
      };
    }
    // That it is so already is an answer to a client whose condition holds; another is to read it again.
    if (completion?.status === 304 && !wanted.includes(seen)) {
      return {
        reason: `volume ${id} was said to be so already on a condition that it didn't fulfil`,
        lines: [asked, `the answer is 304, of revision ${seen}`],
      };
    }
  }
  return undefined;
}

/** By `<key> <revision>`: the revision that the key had before that one. */
function replacedRevisions({ etcd }: RecordedRun): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  const replaced = new Map<string, number>();
  for (const { kind, key, revision } of etcd) {
    const before = latest.get(key);
    if (kind === 'put' && before !== undefined) replaced.set(`${key} ${revision}`, before);
    if (kind === 'put') latest.set(key, revision);
    else latest.delete(key);
  }
  return replaced;
}
