// When a part of the cluster was down, paused or otherwise disturbed, derived from
// the faults that the rig injected. Faults take time to bite, so that each end has
// two times.

import type { FaultEvent, NemesisEvent, RecordedRun } from '../history.ts';
import { etcdMembers } from '../topology.ts';
import { type Impairment, impairedSpans, impairments } from './impairments.ts';
import type { Outage } from './outage.ts';
import { etcdOutages } from './quorum.ts';
import type { Span } from './spans.ts';
import { workClockOf } from './work-clock.ts';

/**
 * How long a killed role may take until its supervisor has it running again:
 * starting a Node.js process, plus the supervisor's backoff.
 */
const ROLE_RESTART_MS = 5_000;

export type { Outage } from './outage.ts';

type Open = { -readonly [Field in keyof Outage]: Outage[Field] };

const OPENS: Readonly<Record<string, Outage['kind']>> = {
  kill: 'down',
  stop: 'down',
  restart: 'down',
  pause: 'paused',
};
const CLOSES: ReadonlySet<string> = new Set(['start', 'restart', 'resume']);

// Many checks ask for those of the same run, some of them for every event.
const derived = new WeakMap<RecordedRun, readonly Outage[]>();

/**
 * Every outage of the run, in the order in which they began; then what was impaired, then those
 * of etcd as a whole, where it has several members (quorum.ts).
 */
export function outages(run: RecordedRun): readonly Outage[] {
  const known = derived.get(run);
  if (known !== undefined) return known;
  const all = acts(run);
  const impaired = impairedSpans(run);
  const ofEtcd = etcdOutages(etcdMembers(run.topology), [...all, ...impaired], workClockOf(run));
  const found = [...neverStarted(run), ...all, ...impaired, ...ofEtcd];
  derived.set(run, found);
  return found;
}

/** What was stopped, frozen and brought back, act by act. */
function acts(run: RecordedRun): readonly Outage[] {
  const all: Open[] = [];
  const impaired = impairments(run);
  const touched = new Set<string>();
  for (const fault of run.history) {
    if (fault.type === 'nemesis') endPauses(all, fault);
    if (fault.type !== 'fault') continue;
    const open = all.filter(
      (outage) => outage.toMs === Number.POSITIVE_INFINITY && sameTarget(outage, fault),
    );
    const kind = OPENS[fault.fault];
    if (CLOSES.has(fault.fault)) {
      const first = `${fault.container}/${fault.role ?? ''}`;
      // Started without having been stopped: it was absent from the beginning, unless something else ended it.
      if (
        fault.fault === 'start' &&
        !touched.has(first) &&
        !impaired.some((one) => mayHaveEnded(one, fault))
      ) {
        const absent = begun(fault, 'down', 0);
        absent.certainFromMs = 0;
        all.push(absent);
        open.push(absent);
      }
      touched.add(first);
      for (const outage of open) end(outage, fault);
    }
    touched.add(`${fault.container}/${fault.role ?? ''}`);
    if (kind === undefined) continue;
    if (fault.phase === 'inject') {
      const outage = begun(fault, kind, fault.atMs);
      if (kind === 'down' && restartsItself(run, fault)) {
        outage.toMs = workClockOf(run).after(fault.atMs, ROLE_RESTART_MS);
        outage.certainToMs = fault.atMs;
      }
      all.push(outage);
    } else {
      for (const outage of all) {
        if (
          outage.kind === kind &&
          outage.certainFromMs === Number.POSITIVE_INFINITY &&
          sameTarget(outage, fault)
        ) {
          outage.certainFromMs = fault.atMs;
        }
      }
    }
  }
  return all;
}

/** Frozen processes can end before they are resumed; seen to be gone is gone. */
function endPauses(all: readonly Open[], { phase, fault, members, atMs }: NemesisEvent): void {
  if (phase !== 'healed' || fault.fault !== 'pause') return;
  for (const outage of all) {
    if (outage.kind !== 'paused' || outage.role !== fault.role || !members.includes(outage.container))
      continue;
    outage.certainToMs = Math.min(outage.certainToMs, atMs);
    outage.toMs = Math.min(outage.toMs, atMs);
  }
}

/** A fault that ends members without an act: what it leaves down is started when it is healed. */
const mayHaveEnded = ({ members, fromMs, toMs }: Impairment, start: FaultEvent): boolean =>
  members.includes(start.container) && fromMs <= start.atMs && start.atMs <= toMs;

/**
 * Whoever watches at a member that froze, the rig among them, hears nothing until the connection
 * is found to be dead: 6 s of silence, 1.5 s for the answer to a probe (kv/etcd.ts), and then a new one.
 */
const SILENT_MS = 7_500;
const CONNECTING_MS = 1_500;

/** When the rig may have seen what was committed later than others did: while etcd was disturbed, or silent. */
export function blindSpots(run: RecordedRun): readonly Outage[] {
  const members = etcdMembers(run.topology);
  const clock = workClockOf(run);
  return outages(run).flatMap((outage) => {
    if (outage.container === 'etcd') return [outage];
    if (outage.kind !== 'paused' || !members.includes(outage.container)) return [];
    return [
      { ...outage, toMs: Math.min(outage.toMs, clock.after(outage.fromMs + SILENT_MS, CONNECTING_MS)) },
    ];
  });
}

/** Nodes that were to join later, and have not until a fault of that name added them, or never did. */
function neverStarted(run: RecordedRun): readonly Outage[] {
  const started = new Set(run.history.map((event) => (event.type === 'fault' ? event.container : undefined)));
  return run.topology.nodes
    .filter(({ name, starts }) => starts === 'later' && !started.has(name))
    .map(({ name }) => {
      const added = impairments(run).find(({ fault }) => fault.fault === 'node-added' && fault.node === name);
      const toMs = added?.shownMs ?? Number.POSITIVE_INFINITY;
      const certainToMs = added?.fromMs ?? Number.POSITIVE_INFINITY;
      return { ...begun({ container: name }, 'down', 0), certainFromMs: 0, certainToMs, toMs };
    });
}

function begun(fault: Pick<FaultEvent, 'container' | 'role'>, kind: Outage['kind'], fromMs: number): Open {
  return {
    container: fault.container,
    role: fault.role,
    kind,
    fromMs,
    toMs: Number.POSITIVE_INFINITY,
    certainFromMs: Number.POSITIVE_INFINITY,
    certainToMs: Number.POSITIVE_INFINITY,
  };
}

function end(outage: Open, fault: FaultEvent): void {
  outage.certainToMs = Math.min(outage.certainToMs, fault.atMs);
  if (fault.phase === 'injected') outage.toMs = fault.atMs;
}

/** A fault on a whole container ends what was done to its roles, too. */
const sameTarget = (outage: Outage, fault: FaultEvent): boolean =>
  outage.container === fault.container && (fault.role === undefined || outage.role === fault.role);

function restartsItself(run: RecordedRun, fault: FaultEvent): boolean {
  if (fault.role === undefined) return false;
  const node = run.topology.nodes.find((candidate) => candidate.name === fault.container);
  const restart: Readonly<Record<string, string>> | undefined = node?.restart;
  return restart?.[fault.role] === 'always';
}

/** True when the outage hit the whole container, or this role of it. */
export const hits = (outage: Outage, container: string, role?: string): boolean =>
  outage.container === container && (outage.role === undefined || outage.role === role);

/** True when [fromMs, toMs] meets one of the outages. */
export const disturbed = (span: Span, disturbances: readonly Span[]): boolean =>
  disturbances.some((outage) => outage.fromMs <= span.toMs && outage.toMs >= span.fromMs);

/** The time of the last thing that was recorded of the cluster and its clients. */
export function endMs(run: RecordedRun): number {
  let last = 0;
  // How the machine did is no news of the cluster.
  for (const { type, atMs } of run.history) if (type !== 'machine') last = Math.max(last, atMs);
  for (const { atMs } of run.etcd) last = Math.max(last, atMs);
  return last;
}

/** Containers, or one role of them, that a fault took down and nothing brought back. */
export const downAtEnd = (run: RecordedRun, container: string, role?: string): Outage | undefined =>
  outages(run).find((outage) => hits(outage, container, role) && outage.toMs === Number.POSITIVE_INFINITY);
