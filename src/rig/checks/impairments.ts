// What faults that are healed again (faults/nemesis.ts) disturb, and from when to
// when: from the word that they are about to be injected until they were seen to
// be gone. Those that stop or freeze processes are on record as acts (outages.ts).
// One that can't be had here disturbs nothing, and explains nothing.

import type { FaultName, FaultSpec } from '../faults/spec.ts';
import type { NemesisEvent, RecordedRun } from '../history.ts';
import { allMembers, etcdMembers } from '../topology.ts';
import type { Outage } from './outage.ts';

/** Their acts say all, and to the role. */
const ACTS: ReadonlySet<FaultName> = new Set(['kill', 'stop', 'pause', 'restart']);
/** They touch none of the machinery, only what clients are answered. */
const HARMLESS: ReadonlySet<FaultName> = new Set(['quota-full']);
/** Processes end by them, as often as it takes. */
const ENDING: ReadonlySet<FaultName> = new Set([
  'out-of-memory',
  'failpoint',
  'disk-errors',
  'rolling-restart',
  'rolling-upgrade',
  'engine-demotion',
  'node-removed',
]);
/** They concern everybody, whoever was chosen to be between. */
const EVERYBODY: ReadonlySet<FaultName> = new Set(['rolling-restart', 'rolling-upgrade']);

/** One fault, from its injection to the end of its healing. */
export interface Impairment {
  readonly id: string;
  readonly fault: FaultSpec;
  /** Whom it may disturb. */
  readonly members: readonly string[];
  readonly fromMs: number;
  /** When it was seen to bite; undefined if it never was. */
  readonly shownMs: number | undefined;
  /** Infinity when it was never seen to be gone. */
  readonly toMs: number;
}

/** All that were injected, in that order. */
export function impairments(run: RecordedRun): readonly Impairment[] {
  const events = run.history.filter((event) => event.type === 'nemesis');
  return events.flatMap((event): readonly Impairment[] => {
    if (event.phase !== 'inject') return [];
    const when = (phase: NemesisEvent['phase']): number | undefined =>
      events.find((other) => other.id === event.id && other.phase === phase)?.atMs;
    const { id, fault, atMs } = event;
    const toMs = when('healed') ?? Number.POSITIVE_INFINITY;
    return [{ id, fault, members: disturbedBy(run, event), fromMs: atMs, shownMs: when('shown'), toMs }];
  });
}

export const isAct = ({ fault }: FaultSpec): boolean => ACTS.has(fault);

/** Role processes of the node may end by it, and be started anew. */
export const mayEnd = ({ fault: { fault } }: Impairment): boolean => ENDING.has(fault);

/** Members whose daemons' clocks were off at some time, so that nobody knows when what they logged was. */
export const withOwnClock = ({ history }: Pick<RecordedRun, 'history'>): ReadonlySet<string> =>
  new Set(
    history.flatMap((event) =>
      event.type === 'nemesis' && event.fault.fault.startsWith('clock-') ? event.members : [],
    ),
  );

/** The spans in which members were disturbed but ran; and of a node that was removed, from when on it is gone. */
export function impairedSpans(run: RecordedRun): readonly Outage[] {
  return impairments(run).flatMap(({ fault, members, fromMs, shownMs, toMs }): readonly Outage[] => {
    if (ACTS.has(fault.fault) || HARMLESS.has(fault.fault)) return [];
    const role =
      fault.fault === 'lease-revoked' || fault.fault === 'engine-demotion' ? roleOf(fault) : undefined;
    if (fault.fault === 'node-removed') return members.flatMap((node) => removal(node, fromMs, shownMs));
    // Nothing can be asked of somebody because of it: it may have bitten or not at any moment.
    const never = { certainFromMs: Number.POSITIVE_INFINITY, certainToMs: fromMs };
    return members.map((container) => ({ container, role, kind: 'impaired', fromMs, toMs, ...never }));
  });
}

function removal(container: string, fromMs: number, shownMs: number | undefined): readonly Outage[] {
  const goneMs = shownMs ?? Number.POSITIVE_INFINITY;
  const never = { certainFromMs: Number.POSITIVE_INFINITY, certainToMs: fromMs };
  const leaving: Outage = { container, role: undefined, kind: 'impaired', fromMs, toMs: goneMs, ...never };
  if (shownMs === undefined) return [leaving];
  const gone = { toMs: Number.POSITIVE_INFINITY, certainToMs: Number.POSITIVE_INFINITY };
  return [
    leaving,
    { container, role: undefined, kind: 'down', fromMs: shownMs, certainFromMs: shownMs, ...gone },
  ];
}

const roleOf = (fault: FaultSpec): string | undefined =>
  fault.fault === 'lease-revoked' ? fault.role : fault.fault === 'engine-demotion' ? 'engine' : undefined;

function disturbedBy({ topology }: RecordedRun, { fault, members }: NemesisEvent): readonly string[] {
  if (EVERYBODY.has(fault.fault)) return topology.nodes.map(({ name }) => name);
  // The parts of one that is parted are all cut off from somebody.
  if (fault.fault === 'partition' && fault.shape !== 'isolate') return allMembers(topology);
  if (fault.fault === 'etcd-compaction') return etcdMembers(topology);
  if (fault.fault !== 'cut') return members;
  // etcd is no worse for a node that can't reach it.
  const etcd: ReadonlySet<string> = new Set(etcdMembers(topology));
  const sides = [fault.from, fault.to].map((side) => [side].flat());
  const isWithinEtcd = sides.every((side) => side.every((name) => etcd.has(name)));
  return isWithinEtcd ? members : members.filter((name) => !etcd.has(name));
}
