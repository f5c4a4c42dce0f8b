// At the end no lease or election key of a dead process is left in etcd.
//
// Assumes that the final state was read at least one TTL after the last fault
// was healed, and a second of the work clock; where it wasn't, what is left says
// nothing. A live agent holds one lease, which its node's key hangs on; a live engine
// holds one, which the leader's key hangs on if it leads, and nothing otherwise: a
// candidate may hold its lease while it waits. Nothing else hangs on a lease. A holder that says that its
// lease has ended (`kv.session.ended`) renews it no more: whatever number of candidates may
// hold one, that one is nobody's once it has had its time twice, as after an election in etcd, which
// gives every lease all of its time anew.

import { LEADER_KEY, NODES_PREFIX, nameIn } from '../../kv/keys.ts';
import type { Check, FinalStateEvent, RecordedRun } from '../history.ts';
import { finalState } from './final.ts';
import { holderOf } from './leader-history.ts';
import { hits, outages } from './outages.ts';
import { answersOf, count, seconds } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('no-stale-leases');

/** etcd looks for expired leases twice a second. */
const EXPIRING_MS = 1_000;

export const noStaleLeases: Check = (run) => {
  const state = finalState(run);
  if (state === undefined) return unknown('the final state of etcd was not read');
  const leased = Object.keys(state.keyLeases);
  if (state.leases.length === 0 && leased.length === 0) return unknown('etcd held no lease at the end');
  const stale = leased.flatMap((key) => {
    const reason = whyStale(run, state, key);
    return reason === undefined
      ? []
      : [`${seconds(state.atMs)}: ${key}, lease ${state.keyLeases[key]}: ${reason}`];
  });
  // Until then whoever lost a lease to a fault has the old one as well as a new one.
  const tooSoon = (lines: readonly string[]) =>
    unknown('the final state was read before the leases of faulted processes could expire', lines);
  if (stale.length > 0) return invalid(`${count(stale.length, 'key')} of dead processes left in etcd`, stale);
  const abandoned = abandonedLeases(run, state);
  if (abandoned.length > 0 && isRecent(run, state)) return tooSoon(abandoned);
  if (abandoned.length > 0)
    return invalid(`${count(abandoned.length, 'lease')} kept alive after the holder gave it up`, abandoned);
  const attached = new Set(Object.values(state.keyLeases));
  const loose = state.leases.filter((lease) => !attached.has(lease));
  const candidates = liveEngines(run, state) - (LEADER_KEY in state.keyLeases ? 1 : 0);
  if (loose.length > Math.max(0, candidates)) {
    if (isRecent(run, state)) return tooSoon(loose.map((lease) => `lease ${lease} holds no key`));
    return invalid(
      `${count(loose.length, 'lease')} with no key, but ${count(Math.max(0, candidates), 'engine')} waiting to lead`,
      loose.map((lease) => `${seconds(state.atMs)}: lease ${lease} holds no key`),
    );
  }
  return valid(`${count(state.leases.length, 'lease')}, each of a live process`);
};

const isRecent = (run: RecordedRun, state: FinalStateEvent): boolean =>
  outages(run).some(
    ({ fromMs, toMs }) =>
      fromMs > 0 &&
      fromMs <= state.atMs &&
      toMs !== Number.POSITIVE_INFINITY &&
      expiredMs(run, toMs) >= state.atMs,
  );

/** Those that there are although who held them has said, long ago, that they had ended. */
function abandonedLeases(run: RecordedRun, state: FinalStateEvent): readonly string[] {
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const alive = new Set<unknown>(state.leases);
  return run.logs.flatMap(({ atMs, container, event, fields }) => {
    if (event !== 'kv.session.ended' || !alive.has(fields.lease)) return [];
    if (expiredMs(run, atMs + ttlMs) >= state.atMs) return [];
    return [`${seconds(atMs)}: ${container} says that its lease ${String(fields.lease)} has ended`];
  });
}

/** When the lease must have expired of whoever renewed it last then. */
const expiredMs = (run: RecordedRun, renewedMs: number): number =>
  workClockOf(run).after(renewedMs + run.topology.settings.leaseTtlSeconds * 1000, EXPIRING_MS);

function whyStale(run: RecordedRun, state: FinalStateEvent, key: string): string | undefined {
  if (key.startsWith(NODES_PREFIX)) {
    const node = nameIn(NODES_PREFIX, key);
    return isDead(run, state, node, 'agent') ? `the agent of ${node} is dead` : undefined;
  }
  if (key !== LEADER_KEY) return 'nothing of the kind is to hang on a lease';
  const value = state.keys[key] ?? '';
  const { node } = holderOf({ atMs: state.atMs, revision: state.revision, kind: 'put', key, value });
  if (node === undefined) return 'it names no leader';
  return isDead(run, state, node, 'engine') ? `the engine of ${node}, its holder, is dead` : undefined;
}

/** Dead for so long that its lease must have expired. */
function isDead(run: RecordedRun, state: FinalStateEvent, node: string, role: string): boolean {
  if (!run.topology.nodes.some((candidate) => candidate.name === node)) return true;
  return outages(run).some(
    (outage) =>
      hits(outage, node, role) &&
      outage.fromMs > 0 &&
      // Of a role that its supervisor starts anew nobody knows when it is back, and on a slow machine it may be late.
      outage.certainToMs >= state.atMs &&
      expiredMs(run, outage.certainFromMs) < state.atMs,
  );
}

const liveEngines = (run: RecordedRun, state: FinalStateEvent): number =>
  run.topology.nodes.filter(
    (node) => node.roles.includes('engine') && !isDead(run, state, node.name, 'engine'),
  ).length;
