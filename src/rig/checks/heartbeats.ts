// An agent that no fault touched never loses its lease.
//
// Assumes that a node's key is put under the agent's lease when it registers
// and stays under that one lease for as long as the agent lives. A node that is
// away or cut off, an agent that is, or etcd, explains a loss for as long as it
// lasts, and for one TTL and GRACE_MS (by the work clock) after: an agent needs so long to find
// out. So does a machine that left less than RENEWAL_MS for a renewal that was due.
// Whatever it holds after that is judged anew. A lease counts as kept when it
// was watched for longer than one TTL that nothing disturbed: before that a lease
// that nobody renews would not have expired yet.

import { NODES_PREFIX, nameIn } from '../../kv/keys.ts';
import type { Check, EtcdEvent, RecordedRun, Verdict } from '../history.ts';
import { hasGap } from './gaps.ts';
import { disturbed, endMs, hits, type Outage, outages } from './outages.ts';
import { undisturbedMs } from './spans.ts';
import { answersOf, count, position } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('heartbeats');

/** For connections to be made anew; and etcd looks for expired leases twice a second. */
const GRACE_MS = 5_000;
/** A renewal is begun when a third of the TTL is over (kv/session.ts), and takes less than this if it is let work. */
const RENEWAL_MS = 300;

export const heartbeats: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them who registered');
  const events = Map.groupBy(
    run.etcd.filter(({ key }) => key.startsWith(NODES_PREFIX)),
    ({ key }) => nameIn(NODES_PREFIX, key),
  );
  const kept: string[] = [];
  for (const [node, own] of events) {
    const found = judgeNode(run, node, own);
    if (typeof found === 'object') return found;
    if (found === 'kept') kept.push(node);
  }
  if (kept.length === 0) return unknown('no agent was left alone for longer than its lease lasts');
  return valid(
    `${count(kept.length, 'agent')} kept one lease for as long as no fault touched it: ${kept.join(', ')}`,
  );
};

function judgeNode(
  run: RecordedRun,
  node: string,
  events: readonly EtcdEvent[],
): Verdict | 'kept' | 'unseen' {
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const faults = faultsOn(run, node);
  const clock = workClockOf(run);
  const excuses = faults.map((outage) => ({ ...outage, toMs: clock.after(outage.toMs + ttlMs, GRACE_MS) }));
  const wasStarved = ({ atMs }: EtcdEvent): boolean =>
    clock.workedMs({ fromMs: atMs - (2 / 3) * ttlMs, toMs: atMs }) < RENEWAL_MS;
  let longestMs = 0;
  let registered: EtcdEvent | undefined;
  const watched = (toMs: number, unjudged: readonly Outage[]): void => {
    if (registered === undefined) return;
    const span = { fromMs: registered.atMs, toMs };
    longestMs = Math.max(longestMs, longestGap(span, unjudged));
  };
  for (const event of events) {
    const reason = registered === undefined ? lossAtFirst(event) : lossOf(registered, event);
    if (reason === undefined) {
      registered ??= event.kind === 'put' ? event : undefined;
      continue;
    }
    const isExcused =
      disturbed({ fromMs: event.atMs, toMs: event.atMs }, excuses) || (isLoss(event) && wasStarved(event));
    if (!isExcused) {
      return invalid(`${node}, whose agent no fault had touched, ${reason}`, [
        ...(registered === undefined
          ? []
          : [`${position(registered)}: ${node} registers with lease ${registered.lease ?? 'none'}`]),
        `${position(event)}: ${event.kind} of ${event.key}${event.lease === undefined ? '' : `, lease ${event.lease}`}`,
      ]);
    }
    watched(event.atMs, excuses);
    registered = event.kind === 'put' ? event : undefined;
  }
  // It has kept it, whatever a loss would have been excused by.
  watched(endMs(run), faults);
  return longestMs > ttlMs ? 'kept' : 'unseen';
}

/** What may make the agent of the node lose its lease. */
const faultsOn = (run: RecordedRun, node: string): readonly Outage[] =>
  outages(run)
    // An etcd or a node that was absent from the beginning had nothing to lose.
    .filter(({ fromMs }) => fromMs > 0)
    .filter((outage) => outage.container === 'etcd' || hits(outage, node, 'agent'));

/** The longest part of the span that none of the outages touches. */
function longestGap(
  span: { readonly fromMs: number; readonly toMs: number },
  all: readonly Outage[],
): number {
  const marks = [span.fromMs, ...all.map(({ toMs }) => toMs).filter((atMs) => atMs > span.fromMs)];
  const gaps = marks.map((fromMs) => {
    const next = Math.min(span.toMs, ...all.map((outage) => outage.fromMs).filter((atMs) => atMs >= fromMs));
    return undisturbedMs({ fromMs, toMs: Math.max(fromMs, next) }, all);
  });
  return Math.max(0, ...gaps);
}

/** Not what an agent did of its own accord. */
const isLoss = ({ kind, lease = '0' }: EtcdEvent): boolean => kind === 'delete' || lease !== '0';

const lossAtFirst = (event: EtcdEvent): string | undefined =>
  event.kind === 'put' && (event.lease === undefined || event.lease === '0')
    ? 'put its key without a lease'
    : undefined;

function lossOf(registered: EtcdEvent, event: EtcdEvent): string | undefined {
  if (event.kind === 'delete') return 'lost its key';
  if (event.lease === undefined || event.lease === '0') return 'put its key without a lease';
  if (event.lease !== registered.lease) return 'changed its lease';
  return undefined;
}
