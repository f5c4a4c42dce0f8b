// Which node let consumers in, and when: held against where etcd had the volume,
// and, without any clock but the rig's own, against each other.
//
// A call that got through shows that its node exported the volume at some time
// between its beginning and its end. Calls that went by an address instead of a
// node's name show nothing. What is committed while etcd is disturbed the rig may
// see later than anybody else.

import type { RecordedRun } from '../history.ts';
import { type Assignment, assignmentsOf, describeAssignment } from './assignments.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls } from './calls.ts';
import { blindSpots, type Outage } from './outages.ts';
import { seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

/** After the others the rig sees a commit at most so late, by the work clock. */
const SEEN_WITHIN_MS = 1_000;

type Served = Call<NfsOperation>;

export interface DoubleService {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** The first sign of a node that let clients in although the volume was another's. */
export function firstDoubleService(run: RecordedRun): DoubleService | undefined {
  if (!run.etcdComplete) return undefined;
  const names = new Set(run.topology.nodes.map(({ name }) => name));
  const served = nfsCalls(run).filter(
    ({ operation, completion }) => completion?.phase === 'ok' && names.has(operation.server),
  );
  const sight = { etcd: blindSpots(run), clock: workClockOf(run) };
  const byVolume = Map.groupBy(served, ({ operation }) => operation.volume);
  for (const [volume, steps] of Map.groupBy(volumeSteps(run), ({ id }) => id)) {
    const all = assignmentsOf(steps);
    const calls = byVolume.get(volume) ?? [];
    const found = servedElsewhere(calls, all, sight) ?? servedByBoth(calls, all);
    if (found !== undefined) return found;
  }
  return undefined;
}

function servedElsewhere(
  calls: readonly Served[],
  all: readonly Assignment[],
  { etcd, clock }: { readonly etcd: readonly Outage[]; readonly clock: WorkClock },
): DoubleService | undefined {
  for (const call of calls) {
    const excused = all.some(
      ({ node, fromMs, toMs }) =>
        node === call.operation.server &&
        toMs >= call.invokedMs &&
        clock.workedMs({ fromMs: endedMs(call), toMs: fromMs }, etcd) <= SEEN_WITHIN_MS,
    );
    if (excused) continue;
    const { server, volume } = call.operation;
    return {
      reason: `${server} let a client into volume ${volume}, which was another node's`,
      lines: [...all.map(describeAssignment), describe(call)],
    };
  }
  return undefined;
}

/** The new node served a call that ended before the old one was asked for one that it served, too. */
function servedByBoth(calls: readonly Served[], all: readonly Assignment[]): DoubleService | undefined {
  for (const [index, older] of all.entries()) {
    const newer = all[index + 1];
    if (newer === undefined || !older.handedOver) continue;
    const last = at(calls, older.node)
      .filter(({ invokedMs }) => invokedMs >= older.fromMs && invokedMs <= older.toMs)
      .at(-1);
    const first = at(calls, newer.node)
      .filter(({ invokedMs }) => invokedMs > older.fromMs)
      .sort((a, b) => endedMs(a) - endedMs(b))
      .at(0);
    if (last === undefined || first === undefined || endedMs(first) >= last.invokedMs) continue;
    return {
      reason: `${newer.node} and ${older.node} let clients into volume ${last.operation.volume} at a time`,
      lines: [describe(first), describe(last), describeAssignment(newer)],
    };
  }
  return undefined;
}

const at = (calls: readonly Served[], node: string): readonly Served[] =>
  calls.filter(({ operation }) => operation.server === node);

const describe = (call: Served): string =>
  `${seconds(call.invokedMs)}: ${call.operation.kind} of ${call.operation.file} by ${call.process} at ` +
  `${call.operation.server} gets through, ended at ${seconds(endedMs(call))} (call ${call.call})`;
