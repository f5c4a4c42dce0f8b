// A term of office: watch the cluster, plan, apply, until leadership is lost.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Leadership } from '../../kv/election.ts';
import { CLUSTER_KEY, ROOT, VERSION_KEY, volumeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { createView, type View } from '../../kv/view.ts';
import type { Author } from '../../model/changes.ts';
import { createBell } from '../bell.ts';
import { CLUSTER_VERSION } from '../cluster.ts';
import type { Action } from './action.ts';
import { applyAction } from './apply.ts';
import { type Failures, observeFailures } from './failures.ts';
import { logOutcome } from './outcome-log.ts';
import { plan } from './plan.ts';
import { observeSetbacks, type Setbacks } from './setbacks.ts';
import { createStateReader } from './state.ts';

/** Transactions under way at a time: enough to hide a round trip, too few to crowd out others. */
const CONCURRENT_WRITES = 16;

export interface LeadOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  readonly leadership: Leadership;
  readonly maxMoves: number;
  readonly rebalancePercent: number;
  readonly failpoints?: Failpoints | undefined;
}

/**
 * Leads until leadership is lost, or until it must not go on for a reason of
 * its own, which is the answer. Outages of etcd alone don't end it.
 */
export async function lead(options: LeadOptions): Promise<string | undefined> {
  const { clock, log, leadership, maxMoves, rebalancePercent } = options;
  const { lost } = leadership;
  const bell = createBell({ clock, signal: lost });
  let reason: string | undefined;
  // Following starts after the election, so the first plan is made from a fresh listing.
  const mirror = createView({
    ...options,
    prefix: ROOT,
    signal: lost,
    log: undefined,
    onChange: (_view, change) => {
      // Neither its revisions nor its terms go on from those that were known, so nothing of this term may.
      if (change.kind === 'snapshot' && change.reason === 'replaced') reason ??= 'the store was replaced';
      bell.ring();
    },
  });
  const readState = createStateReader(log);
  const mayPlan = createAdmission(log);
  let failures: Failures = new Map();
  let setbacks: Setbacks = new Map();
  let writtenRevision = 0;
  mirror.done.catch((error: unknown) => {
    reason ??= RigError.from(error).message;
    bell.ring();
  });
  while (reason === undefined && leadership.isLeader()) {
    const { view } = mirror;
    let wakeAtMs: number | null = null;
    // A plan from a view that lacks our own writes would give the same room away twice.
    if (view.synced && view.revision >= writtenRevision && mayPlan(view)) {
      const state = readState(view.entries);
      const nowMs = clock.monotonicMs();
      failures = observeFailures(failures, { state, entries: view.entries, nowMs });
      setbacks = observeSetbacks(setbacks, { state, nowMs });
      const planned = plan(state, { nowMs, failures, setbacks, maxMoves, rebalancePercent });
      wakeAtMs = planned.wakeAtMs;
      const result = await applyAll(options, { actions: planned.actions, view });
      writtenRevision = Math.max(writtenRevision, result.revision);
      reason ??= result.stop;
      if (reason !== undefined) break;
    }
    await bell.heard(wakeAtMs === null ? undefined : Math.max(1, wakeAtMs - clock.monotonicMs()));
  }
  return reason;
}

/**
 * A store that was wiped, or that a daemon of another version has taken over, is none to decide
 * anything in. Leading goes on, idly: the keys may yet come. Logs when the answer changes.
 */
function createAdmission(log: Log): (view: View) => boolean {
  let admitted = true;
  return ({ entries }) => {
    const version = entries.get(VERSION_KEY)?.value;
    const isOurs = version === CLUSTER_VERSION && entries.has(CLUSTER_KEY);
    if (isOurs !== admitted) {
      if (isOurs) log.info('engine.admitted');
      else log.error('engine.not-admitted', { version: version?.slice(0, 32), expected: CLUSTER_VERSION });
    }
    admitted = isOurs;
    return isOurs;
  };
}

/** Applies a plan, several actions at a time. `stop` says why there can't be another one in this term. */
async function applyAll(
  options: LeadOptions,
  { actions, view }: { readonly actions: readonly Action[]; readonly view: View },
): Promise<{ readonly revision: number; readonly stop: string | undefined }> {
  const { kv, clock, log, node, leadership } = options;
  const { term } = leadership;
  if (actions.length === 0) return { revision: 0, stop: undefined };
  // As of the plan: the view goes on changing while the plan is applied.
  const entries = new Map(view.entries);
  const work = actions.flatMap((action) => {
    const stored = entries.get(volumeKey(action.volume.id));
    return stored === undefined ? [] : [{ action, stored }];
  });
  let revision = 0;
  let stop: string | undefined;
  const worker = async (): Promise<void> => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      if (stop !== undefined || !leadership.isLeader()) return;
      await options.failpoints?.reach('engine/before-transact');
      const author: Author = { writer: { role: 'engine', node, term }, nowMs: clock.nowMs() };
      const outcome = await applyAction({ kv, fence: leadership.fence(), ...next, entries, author });
      await options.failpoints?.reach('engine/after-transact');
      if (outcome.kind === 'written') revision = Math.max(revision, outcome.revision);
      logOutcome(log, { term, action: next.action, outcome });
      if (outcome.kind === 'fenced') stop = 'it was fenced';
      if (outcome.kind === 'unknown') stop = 'the outcome of a write is unknown';
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_WRITES, work.length) }, worker));
  return { revision, stop };
}
