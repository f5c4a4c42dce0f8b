// Where volumes have been, at any time of the run: what agents said that they
// made, and what inventories found, held against where etcd had assigned it.
//
// Assumes
// - that an agent logs what it made after it was made (`volume.created`,
//   `volume.exported`), and that the rig sees a commit within SEEN_WITHIN_MS,
//   outages of etcd aside, these and all else by the work clock;
// - that an agent can act on an assignment only if it ran for some of the time
//   that the assignment lasted. What it had begun then it may finish within
//   IN_FLIGHT_MS of the end of the assignment, not counting pauses and what slows it, unless it
//   was down at that end; what it leaves behind is an orphan, to be trashed
//   once it has registered anew and compared twice, within ORPHAN_MS of its work,
//   and in the trash for ever;
// - that the old node of a move keeps what it had until the new one has shown that
//   it has the same, for which that one's agent must run, too. Copies that are not
//   yet a volume are no concern of this;
// - that what etcd never held, an earlier cluster may have left on a disk: left out.

import type { Inventory, RecordedRun } from '../history.ts';
import { type Assignment, assignmentsOf, describeAssignment } from './assignments.ts';
import { blindSpots, hits, type Outage, outages } from './outages.ts';
import { undisturbedMs } from './spans.ts';
import { seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const SEEN_WITHIN_MS = 20;
const SEEN_AT_MOST_MS = 1_000;
const IN_FLIGHT_MS = 2_000;
/**
 * Beyond a lease's life and two intervals: registering anew, and two comparisons with the rest between them, which is
 * four times as long as one takes; and inventories take a while to collect.
 */
const ORPHAN_MS = 15_000;
const MADE: ReadonlySet<string> = new Set([
  'volume.created',
  'volume.cloned',
  'volume.adopted',
  'volume.exported',
]);
const REMOVED: ReadonlySet<string> = new Set(['volume.deleted', 'orphan.trashed', 'move.source-trashed']);

/** Something of a volume that was on a node at a time. */
interface Trace {
  readonly volume: string;
  readonly node: string;
  readonly atMs: number;
  readonly what: string;
}

export interface Stray {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** The first trace of a volume on a node where it never may have come to be, or had to be gone. */
export function firstStray(run: RecordedRun): Stray | undefined {
  // Where part of etcd's history is missing, nobody knows what was assigned.
  if (!run.etcdComplete) return undefined;
  const steps = Map.groupBy(volumeSteps(run), (step) => step.id);
  const faults = outages(run);
  const etcd = blindSpots(run);
  const clock = workClockOf(run);
  const { leaseTtlSeconds, reconcileIntervalMs } = run.topology.settings;
  const orphanMs = 1_000 * leaseTtlSeconds + 2 * reconcileIntervalMs + ORPHAN_MS;
  const rules = [
    { deed: 'made', traces: deeds(run), isExcused: mayBeMade },
    { deed: 'made', traces: residues(run), isExcused: mayHaveBeenMade },
    { deed: 'kept', traces: remains(run), isExcused: mayStillBe },
  ];
  for (const { deed, traces, isExcused } of rules) {
    for (const trace of traces) {
      const own = steps.get(trace.volume);
      if (own === undefined) continue;
      const all = assignmentsOf(own);
      const mine = all.filter(({ node }) => node === trace.node);
      const agent = faults.filter((outage) => hits(outage, trace.node, 'agent'));
      const others = faults.filter((outage) =>
        all.some(({ node }) => node !== trace.node && hits(outage, node, 'agent')),
      );
      if (isExcused(trace, { mine, agent, others, etcd, clock, orphanMs })) continue;
      return {
        reason: `${trace.node} ${deed} volume ${trace.volume} while it was assigned elsewhere`,
        lines: [...all.map(describeAssignment), `${seconds(trace.atMs)}: ${trace.node} ${trace.what}`],
      };
    }
  }
  return undefined;
}

interface Context {
  /** The volume's assignments to the node. */
  readonly mine: readonly Assignment[];
  readonly agent: readonly Outage[];
  /** Outages of the other nodes that the volume was assigned to. */
  readonly others: readonly Outage[];
  readonly etcd: readonly Outage[];
  readonly clock: WorkClock;
  /** What is to be gone may stay so long. */
  readonly orphanMs: number;
}

/** True when the agent ran while the assignment was in force. */
function couldAct({ fromMs, toMs }: Assignment, agent: readonly Outage[]): boolean {
  const certain = agent
    .map((outage) => ({ ...outage, fromMs: outage.certainFromMs, toMs: outage.certainToMs }))
    .filter((outage) => outage.fromMs < outage.toMs);
  return undisturbedMs({ fromMs: fromMs - SEEN_WITHIN_MS, toMs }, certain) > 0;
}

const isBegun = (trace: Trace, { fromMs }: Assignment, { etcd, clock }: Context): boolean =>
  trace.atMs >= fromMs || clock.workedMs({ fromMs: trace.atMs, toMs: fromMs }, etcd) <= SEEN_AT_MOST_MS;

const mayHaveBeenMade = (trace: Trace, context: Context): boolean =>
  context.mine.some(
    (assignment) => isBegun(trace, assignment, context) && couldAct(assignment, context.agent),
  );

function mayBeMade(trace: Trace, context: Context): boolean {
  const { mine, agent, clock } = context;
  return mine.some((assignment) => {
    const { toMs } = assignment;
    if (!isBegun(trace, assignment, context) || !couldAct(assignment, agent)) return false;
    if (trace.atMs <= clock.after(toMs, SEEN_WITHIN_MS)) return true;
    const downs = agent.filter((outage) => outage.kind === 'down' && outage.certainFromMs < toMs);
    if (downs.some((outage) => outage.certainToMs > toMs)) return false;
    const slow = agent.filter((outage) => outage.kind !== 'down');
    return clock.workedMs({ fromMs: toMs, toMs: trace.atMs }, slow) <= IN_FLIGHT_MS;
  });
}

function mayStillBe(trace: Trace, { mine, agent, others, etcd, clock, orphanMs }: Context): boolean {
  const last = mine.findLast(({ fromMs }) => fromMs <= trace.atMs);
  if (last === undefined || !last.reassigned || last.toMs >= trace.atMs) return true;
  const excuses = [...agent, ...etcd, ...(last.handedOver ? others : [])];
  return clock.workedMs({ fromMs: last.toMs, toMs: trace.atMs }, excuses) <= orphanMs;
}

/** What agents said that they made. */
const deeds = (run: RecordedRun): readonly Trace[] => logged(run, MADE);

/** What agents said that they removed, and so still had; and what inventories found in use. */
const remains = (run: RecordedRun): readonly Trace[] => [...logged(run, REMOVED), ...inUse(run)];

/** What inventories found, in use or thrown away. */
const residues = (run: RecordedRun): readonly Trace[] => [
  ...inUse(run),
  ...found(run, ({ trash }) =>
    trash.map((name) => ({ volume: name.split('.')[0] ?? name, what: `${name} in its trash` })),
  ),
];

const inUse = (run: RecordedRun): readonly Trace[] =>
  found(run, ({ volumes, exports }) => [
    ...volumes.map(({ id }) => ({ volume: id, what: 'its subvolume' })),
    ...exports.map(({ id }) => ({ volume: id, what: 'an export of it' })),
  ]);

const logged = (run: RecordedRun, events: ReadonlySet<string>): readonly Trace[] =>
  run.logs.flatMap(({ atMs, container, event, fields }) =>
    events.has(event) && typeof fields.volume === 'string'
      ? [{ volume: fields.volume, node: container, atMs, what: `logs ${event}` }]
      : [],
  );

const found = (
  run: RecordedRun,
  pick: (inventory: Inventory) => readonly { readonly volume: string; readonly what: string }[],
): readonly Trace[] =>
  run.history.flatMap((event) =>
    event.type === 'inventory'
      ? pick(event.inventory).map(({ volume, what }) => ({
          volume,
          node: event.node,
          atMs: event.atMs,
          what: `has ${what} (inventory ${event.label})`,
        }))
      : [],
  );
