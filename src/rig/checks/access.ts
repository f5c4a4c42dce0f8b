// No consumer reads or writes what etcd doesn't allow it, and none is refused what etcd allows;
// and files belong to whom it makes of their writers (owners.ts).
//
// Only the node that has a volume owes anybody anything: elsewhere a refusal is right.
// Assumes that the server sees a consumer's address of RecordedRun.consumers.
// A change of the exports has GRACE_MS (standings.ts) to take effect, by the work clock, counted
// from when the rig saw it committed, and not counting times at which a fault kept the agent
// from doing it: outages of the volume's node, of its agent, or of etcd. An export that was
// applied outlives an outage of etcd and of the agent.

import type { Check, RecordedRun, Verdict } from '../history.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls } from './calls.ts';
import { blindSpots, hits, type Outage } from './outages.ts';
import { ownersOf } from './owners.ts';
import { countFirst } from './sorted.ts';
import {
  createDebts,
  createStandings,
  extended,
  GRACE_MS,
  type Standing,
  type Standings,
} from './standings.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import type { VolumeStep } from './volume-history.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('access');

type NfsCall = Call<NfsOperation>;

interface Context {
  readonly run: RecordedRun;
  readonly faults: readonly Outage[];
  readonly blind: readonly Outage[];
  readonly clock: WorkClock;
  readonly standings: Standings;
  /** The step by which the call was granted, where a refusal would be wrong. */
  owedBy(call: NfsCall): VolumeStep | undefined;
}

export const access: Check = (run) => {
  if (!run.etcdComplete) return unknown('the recorder did not see every revision of etcd');
  const standings = createStandings(run);
  const clock = workClockOf(run);
  const context: Context = {
    run,
    faults: extended(run),
    blind: blindSpots(run),
    clock,
    standings,
    owedBy: createDebts(run, standings),
  };
  let judged = 0;
  const nameless = new Set<string>();
  for (const call of nfsCalls(run)) {
    const { completion, operation } = call;
    const address = run.consumers[operation.consumer];
    const decided = completion?.phase === 'ok' || completion?.refused === true;
    if (!decided) continue;
    if (address === undefined) {
      nameless.add(operation.consumer);
      continue;
    }
    judged += 1;
    const verdict =
      completion?.phase === 'ok'
        ? judgeSuccess(context, call, address)
        : judgeRefusal(context, call, address);
    if (verdict !== undefined) return verdict;
  }
  if (nameless.size > 0) return unknown(`the addresses of ${[...nameless].join(', ')} are not known`);
  if (judged === 0) return unknown('no consumer was let in or refused');
  const owners = ownersOf(run);
  if (owners.wrong !== undefined) return invalid(owners.wrong.reason, owners.wrong.lines);
  return valid(
    `${count(judged, 'NFS call')}, each let in or refused as etcd says; ${count(owners.judged, 'file')} of whom they must be`,
  );
};

/** A call that got through needs a rule that allowed it, now or until a moment ago. */
function judgeSuccess(context: Context, call: NfsCall, address: string): Verdict | undefined {
  const standings = context.standings(call, address);
  const begun = countFirst(standings, ({ step }) => step.event.atMs < call.invokedMs);
  if (standings[begun - 1]?.allows === true) return undefined;
  // The rig may see a commit a little after those whom it concerns.
  const isInTime = ({ step }: Standing): boolean =>
    context.clock.workedMs({ fromMs: endedMs(call), toMs: step.event.atMs }, context.blind) <= GRACE_MS;
  for (const standing of standings.slice(begun)) {
    if (!isInTime(standing)) break;
    if (standing.allows) return undefined;
  }
  const revoked = standings[begun - 1]?.revoked;
  if (revoked === undefined) {
    return invalid(`${call.operation.consumer} was let in though etcd never allowed it`, [
      describe(call, address),
      ...standings.slice(-1).map(({ step }) => describeRules(step)),
    ]);
  }
  const span = { fromMs: revoked.event.atMs, toMs: call.invokedMs };
  const node = revoked.before?.node;
  const excuses = context.faults.filter(
    (outage) => outage.container === 'etcd' || (node != null && hits(outage, node, 'agent')),
  );
  if (context.clock.workedMs(span, excuses) <= GRACE_MS) return undefined;
  return invalid(
    `${call.operation.consumer} was let in ${Math.round(span.toMs - span.fromMs)} ms after its access was revoked`,
    [describeRules(revoked), describe(call, address)],
  );
}

/**
 * A refusal is wrong once the agent had applied a rule that allows the call. One
 * that came after a write had begun (`info`) shows as well that access has ended.
 */
function judgeRefusal({ owedBy }: Context, call: NfsCall, address: string): Verdict | undefined {
  const granted = owedBy(call);
  if (granted === undefined) return undefined;
  return invalid(`${call.operation.consumer} was refused what etcd allows it`, [
    describeRules(granted),
    describe(call, address),
  ]);
}

const describe = (call: NfsCall, address: string): string =>
  `${seconds(call.invokedMs)}: ${call.operation.kind} of ${call.operation.volume}/${call.operation.file} by ` +
  `${call.operation.consumer} (${address}) is ${call.completion?.phase === 'ok' ? 'let in' : 'refused'}, call ${call.call}`;

function describeRules(step: VolumeStep): string {
  const rules = step.after?.exports.map((rule) => `${rule.host} ${rule.access}`).join(', ');
  return `${position(step.event)}: ${step.id} is exported to ${rules === undefined || rules === '' ? 'nobody' : rules}`;
}
