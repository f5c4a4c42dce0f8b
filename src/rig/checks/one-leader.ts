// At most one engine leads, and none believes that it does for longer than its lease.
//
// Assumes that all daemons stamp their lines by one clock (they run on one
// machine) when it happens (log-lines.ts), that a killed process believes
// nothing, and that a paused one does nothing while it is paused. A leader must
// give up before its lease can expire, and the next one is elected after that,
// so two beliefs never overlap in a correct system; ALLOWANCE_MS covers a timer
// that is late, by the work clock. No fault excuses anything. Where a daemon's clock
// was wrong, Docker's times have to do, which are late by up to READ_WITHIN_MS.
//
// Of several etcd members the one that leads renews leases by its own word, also
// once it has lost the others, until it notices (raft's CheckQuorum). So when etcd
// goes, a lease may be relied on for up to LAST_RENEWALS_MS longer. That excuses no two
// beliefs at a time: who is elected meanwhile, after one election timeout, gives every lease
// its whole time to live anew, and one more timeout (etcd's lease/lessor.go, Promote).

import type { Check, RecordedRun, Verdict } from '../history.ts';
import { etcdMembers } from '../topology.ts';
import { type Belief, beliefs } from './beliefs.ts';
import { hasGap } from './gaps.ts';
import { withOwnClock } from './impairments.ts';
import { holderOf, type Reign, reigns } from './leader-history.ts';
import { disturbed, endMs, hits, type Outage, outages } from './outages.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

const ALLOWANCE_MS = 250;
const READ_WITHIN_MS = 1_000;
/** Of its election, by the engine. */
const HEARD_WITHIN_MS = 1_000;
/** Two of etcd's election timeouts, of 1 s each. */
const LAST_RENEWALS_MS = 2_000;

const { valid, invalid, unknown } = answersOf('one-leader');

export const oneLeader: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them who was elected');
  const all = beliefs(run);
  const verdict =
    replacedLeader(run) ?? overlap(run, all) ?? outlivedLease(run, all) ?? outlivedReign(run, all);
  if (verdict !== undefined) return verdict;
  const terms = reigns(run).length;
  if (terms === 0) return unknown('no engine was ever elected');
  if (all.length === 0) return unknown('no engine logged engine.elected, so nobody knows what they believed');
  const unheard = unheardReigns(run, all);
  if (unheard.length > 0) {
    return unknown(
      `of ${count(unheard.length, 'term')} no engine logged that it was elected`,
      unheard.map(({ created, node }) => `${position(created)}: ${node} is elected`),
    );
  }
  return valid(`${count(terms, 'term')}, one leader in each; no two engines believed at once`);
};

/** Of those nobody knows what the engine believed. Where a fault kept it from hearing of its election there was nothing to say. */
function unheardReigns(run: RecordedRun, all: readonly Belief[]): readonly Reign[] {
  const heard = new Set(all.map(({ term }) => term));
  const lastMs = endMs(run);
  const etcd = new Set(['etcd', ...etcdMembers(run.topology)]);
  return reigns(run).filter(({ term, node, created, deleted }) => {
    if (heard.has(term) || node === undefined) return false;
    const span = { fromMs: created.atMs - HEARD_WITHIN_MS, toMs: created.atMs + HEARD_WITHIN_MS };
    const isNew = deleted === undefined && workClockOf(run).after(created.atMs, HEARD_WITHIN_MS) > lastMs;
    if (isNew) return false;
    return !disturbed(
      span,
      outages(run).filter((outage) => etcd.has(outage.container) || hits(outage, node, 'engine')),
    );
  });
}

/** The leader key is only ever created, kept, and deleted. */
function replacedLeader(run: RecordedRun): Verdict | undefined {
  for (const reign of reigns(run)) {
    const { created } = reign;
    if (reign.node === undefined) {
      return invalid('the leader key names no leader', [`${position(created)}: ${created.value}`]);
    }
    for (const put of [created, ...reign.rewrites]) {
      if (put.lease === undefined || put.lease === '0') {
        return invalid('the leader key hangs on no lease, so that it outlives its holder', [
          `${position(put)}: ${put.value}`,
        ]);
      }
      const holder = holderOf(put);
      if (holder.node === reign.node && holder.instance === reign.instance && put.lease === created.lease)
        continue;
      return invalid(`a leader was replaced while its key still existed, in term ${reign.term}`, [
        `${position(created)}: ${reign.node} (${reign.instance}) is elected, lease ${created.lease}`,
        `${position(put)}: ${holder.node} (${holder.instance}) puts the key, lease ${put.lease}`,
      ]);
    }
  }
  return undefined;
}

function overlap(run: RecordedRun, all: readonly Belief[]): Verdict | undefined {
  const pauses = outages(run).filter((outage) => outage.kind === 'paused');
  const ownClocks = withOwnClock(run);
  let lasting: readonly Belief[] = [];
  for (const belief of all) {
    lasting = lasting.filter(({ toMs }) => toMs > belief.fromMs);
    for (const earlier of lasting) {
      const span = { fromMs: belief.fromMs, toMs: Math.min(earlier.toMs, belief.toMs) };
      const paused = pauses.filter((outage) =>
        [earlier, belief].some(({ node }) => hits(outage, node, 'engine')),
      );
      const lateMs = [earlier, belief].some(({ node }) => ownClocks.has(node)) ? READ_WITHIN_MS : 0;
      if (workClockOf(run).workedMs(span, paused) <= ALLOWANCE_MS + lateMs) continue;
      return invalid('two engines believed at the same time that they lead', [
        describe(earlier),
        describe(belief),
      ]);
    }
    lasting = [...lasting, belief];
  }
  return undefined;
}

/** While etcd is away no lease is renewed, so that after one TTL nobody may believe. */
function outlivedLease(run: RecordedRun, all: readonly Belief[]): Verdict | undefined {
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const disturbances = outages(run);
  const waitMs = ttlMs + (run.topology.etcd.members > 1 ? LAST_RENEWALS_MS : 0);
  for (const outage of disturbances) {
    if (outage.container !== 'etcd') continue;
    const deadlineMs = workClockOf(run).after(outage.certainFromMs + waitMs, ALLOWANCE_MS);
    if (outage.certainToMs < deadlineMs) continue;
    const still = all.find(
      (belief) =>
        belief.fromMs < outage.certainFromMs &&
        belief.toMs > deadlineMs &&
        !disturbed({ fromMs: deadlineMs, toMs: deadlineMs }, onEngine(disturbances, belief.node)),
    );
    if (still === undefined) continue;
    return invalid(`an engine believed that it leads for longer than its lease of ${ttlMs} ms`, [
      `${seconds(outage.certainFromMs)}: etcd is ${outage.kind}`,
      `${seconds(deadlineMs)}: one lease and ${Math.round(deadlineMs - outage.certainFromMs - ttlMs)} ms later`,
      describe(still),
    ]);
  }
  return undefined;
}

/**
 * Once its key is gone nobody believes for longer than the lease would have lasted; nor by a term that never
 * was. Whoever is frozen does nothing meanwhile.
 */
function outlivedReign(run: RecordedRun, all: readonly Belief[]): Verdict | undefined {
  if (!run.etcdComplete) return undefined;
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const byTerm = new Map(reigns(run).map((reign) => [reign.term, reign]));
  const pauses = outages(run).filter((outage) => outage.kind === 'paused');
  const ownClocks = withOwnClock(run);
  const lastMs = endMs(run);
  for (const belief of all) {
    const reign = byTerm.get(belief.term);
    if (reign === undefined) {
      return invalid('an engine believed that it leads by a term that etcd never gave', [describe(belief)]);
    }
    const { deleted } = reign;
    if (deleted === undefined) continue;
    const lateMs = ownClocks.has(belief.node) ? READ_WITHIN_MS : 0;
    const span = { fromMs: deleted.atMs, toMs: Math.min(belief.toMs, lastMs) };
    const believedMs = workClockOf(run).workedMs(span, onEngine(pauses, belief.node));
    if (believedMs <= ttlMs + ALLOWANCE_MS + lateMs) continue;
    return invalid(`an engine believed that it leads for longer than its lease of ${ttlMs} ms`, [
      `${position(deleted)}: the leader key is gone`,
      describe(belief),
    ]);
  }
  return undefined;
}

const onEngine = (all: readonly Outage[], node: string): readonly Outage[] =>
  all.filter((outage) => hits(outage, node, 'engine'));

const describe = (belief: Belief): string =>
  `${seconds(belief.fromMs)}: ${belief.node} is elected, term ${belief.term}; ` +
  (belief.toMs === Number.POSITIVE_INFINITY
    ? 'nothing ended its belief'
    : `believes until ${seconds(belief.toMs)} (${belief.end})`);
