// What a consumer of the cluster's events gets in place of events that are gone: a `reset`,
// which something must have called for, and right behind it all that there is as of its
// revision, each thing once, and as etcd's own history has it.
//
// Assumes that etcd keeps all its history unless the rig compacts it, or takes members' data
// away; that a compaction reaches no further than what was on record by then (faults/
// etcd-compaction.ts); and that a consumer which stops listening just then may miss the rest.

import type { RecordedRun, ToldEvent } from '../history.ts';
import { type Impairment, impairments } from './impairments.ts';
import { CATCHES_UP_WITHIN_MS, describeTold, type Listener, revisionOf } from './listeners.ts';
import { factsToldOf, thingsAt, thingToldOf } from './things.ts';
import { workClockOf } from './work-clock.ts';

export interface Broken {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** The first `reset` that nothing called for, or that isn't followed by what there is. */
export function brokenReset(run: RecordedRun, listener: Listener): Broken | undefined {
  const { consumer, events } = listener;
  let heardUpTo = 0;
  for (const [index, event] of events.entries()) {
    const revision = revisionOf(event.data) ?? 0;
    if (event.event === 'reset') {
      const isNeedless = !isCalledFor(run, event, heardUpTo);
      if (isNeedless)
        return { reason: `${consumer} was told to begin anew for nothing`, lines: [describeTold(event)] };
      const broken = brokenSnapshot(run, listener, index);
      if (broken !== undefined) return broken;
      if (reasonOf(event) === 'replaced') heardUpTo = 0;
    } else if (event.event === 'snapshot' && !isSnapshotOf(events[index - 1], revision)) {
      return {
        reason: `${consumer} was told what there is, though no reset began it`,
        lines: [describeTold(event)],
      };
    }
    heardUpTo = Math.max(heardUpTo, revision);
  }
  return undefined;
}

const reasonOf = ({ data }: ToldEvent): unknown => (data as { readonly reason?: unknown } | null)?.reason;

const isSnapshotOf = (event: ToldEvent | undefined, revision: number): boolean =>
  (event?.event === 'reset' || event?.event === 'snapshot') && revisionOf(event.data) === revision;

function isCalledFor(run: RecordedRun, reset: ToldEvent, heardUpTo: number): boolean {
  return impairments(run).some((impairment) => {
    const { fault, fromMs } = impairment;
    if (fromMs > reset.atMs) return false;
    if (fault.fault === 'etcd-data-loss') return true;
    const isCompaction = fault.fault === 'etcd-compaction' && reasonOf(reset) === 'compacted';
    return isCompaction && mayHaveLost(run, impairment, { reset, heardUpTo });
  });
}

/** Something behind what the consumer had heard was compacted away before the reset. */
function mayHaveLost(
  { etcd }: RecordedRun,
  { toMs }: Impairment,
  { reset, heardUpTo }: { readonly reset: ToldEvent; readonly heardUpTo: number },
): boolean {
  const byMs = Math.min(toMs, reset.atMs);
  const after = etcd.find(({ atMs }) => atMs > byMs);
  return after === undefined || heardUpTo < after.revision;
}

/** Of the reset at this place: something that there is and isn't told, or is told otherwise or twice. */
function brokenSnapshot(run: RecordedRun, listener: Listener, index: number): Broken | undefined {
  const { consumer, events } = listener;
  const reset = events[index] as ToldEvent;
  const revision = revisionOf(reset.data) ?? 0;
  const wanted = thingsAt(run, revision);
  let at = index + 1;
  for (; events[at]?.event === 'snapshot' && isSnapshotOf(events[at], revision); at += 1) {
    const event = events[at] as ToldEvent;
    const { item } = event.data as { readonly item?: unknown };
    const thing = thingToldOf(item);
    const facts = wanted.get(thing);
    wanted.delete(thing);
    if (facts !== undefined && facts === factsToldOf(item)) continue;
    return {
      reason: `${consumer} was told what there is, and ${thing} isn't so, or was told before`,
      lines: [describeTold(event), `revision ${revision} of etcd: ${facts ?? `nothing more of ${thing}`}`],
    };
  }
  if (wanted.size === 0 || isCutOff(run, listener, at)) return undefined;
  const missing = [...wanted].map(([thing, facts]) => `revision ${revision} of etcd: ${thing} ${facts}`);
  return {
    reason: `${consumer} was told to begin anew, but not all that there is`,
    lines: [describeTold(reset), ...missing],
  };
}

/** It may not have heard the rest: the stream broke in the middle, or nobody listened much longer. */
function isCutOff(run: RecordedRun, { events, toMs }: Listener, next: number): boolean {
  const last = events[next - 1] as ToldEvent;
  if (last.id !== undefined) return false;
  if (next < events.length) return events[next]?.event === 'reset';
  return workClockOf(run).after(last.atMs, CATCHES_UP_WITHIN_MS) > toMs;
}
