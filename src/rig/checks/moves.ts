// Through every move exactly one node lets clients in, and the old node gives
// up what it has only once the new one has shown that it has the same.
//
// Assumes that daemons stamp their log lines by one clock; that an agent logs an
// export after it has begun (`volume.exported`), that the mover logs the end of
// the old node's export (`move.cutover`), the comparison of digests
// (`move.verified`, with the copy that was handed over) and the end of the old
// node's subvolume (`move.source-trashed`); that a volume which has gone on to a
// third node is compared there, or can't be compared any more (`move.unverified`): then it counts that its
// last copy had arrived whole (`move.sent`) and that etcd has it go on, and the clients' files are for `durability`;
// that nothing is left to compare of a volume which was deleted, once it is gone;
// and that the rig sees a commit at most SEEN_WITHIN_MS after the others, by the work clock and outages of etcd aside.
// Where consumers mount is judged where they went by a node's name.

import type { Check, InventoryEvent, NodeLogLine, RecordedRun, Verdict } from '../history.ts';
import { describeMove, type Move, movesOf } from './moves-history.ts';
import { blindSpots, type Outage } from './outages.ts';
import { firstDoubleService } from './service.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('moves');

const SEEN_WITHIN_MS = 1_000;
/** An inventory asks the NFS server some time before it is recorded. */
const COLLECTING_MS = 3_000;

interface Handover extends Move {
  readonly atMs: number;
  /** When the volume came back to the old node; whatever it does with it before that is judged. */
  readonly untilMs: number;
}

export const moves: Check = (run) => {
  const handovers = [...Map.groupBy(movesOf(run), ({ volume }) => volume).values()].flatMap(handoversOf);
  const evidence = evidenceOf(run);
  const violation =
    exportedAtHandover(run) ??
    first(handovers, (handover) => judge(evidence, handover)) ??
    doubleService(run);
  if (violation !== undefined) return violation;
  if (handovers.length === 0) return unknown('no volume was handed over to another node');
  const unverified = run.logs.filter(({ event }) => event === 'move.unverified');
  const unexplained = unverified.filter((line) => !hasGoneOn(evidence, handovers, line));
  if (unexplained.length > 0) {
    return unknown('a copy had gone before it could be compared', unexplained.map(describeLine));
  }
  const unfinished = handovers.filter(({ ended }) => ended === undefined);
  if (unfinished.length > 0) return unknown('a move had not ended', unfinished.map(describeMove));
  const passedOn =
    unverified.length > 0 ? `, ${unverified.length} of volumes that had gone on uncompared` : '';
  return valid(
    `${count(handovers.length, 'move')}, each with one node at a time that let clients in${passedOn}`,
  );
};

/** Why the copy of a move is there no more: the new node had received it whole, and has handed the volume on. */
function hasGoneOn(
  { lines, blindSpots, clock }: Evidence,
  handovers: readonly Handover[],
  { atMs, container, fields }: NodeLogLine,
): boolean {
  const own = handovers.filter(({ volume }) => volume === fields.volume);
  const move = own.find(({ from, copy }) => from === container && copy === fields.copy);
  if (move === undefined) return false;
  const isSent = lines
    .get(move.volume)
    ?.some(
      (line) =>
        line.event === 'move.sent' &&
        line.container === container &&
        line.fields.to === move.to &&
        line.fields.copy === move.copy,
    );
  const isKnown = (seenMs: number): boolean =>
    clock.workedMs({ fromMs: atMs, toMs: seenMs }, blindSpots) <= SEEN_WITHIN_MS;
  const isNext = (next: Handover): boolean =>
    next.from === move.to && next.atMs > move.atMs && isKnown(next.atMs);
  return isSent === true && own.some(isNext);
}

/** Of one volume's moves. */
function handoversOf(moves: readonly Move[]): readonly Handover[] {
  return moves.flatMap((move, index): readonly Handover[] => {
    if (move.handover === undefined) return [];
    const back = moves.find((later, place) => place > index && later.to === move.from && later.handover);
    const untilMs = back?.handover?.atMs ?? Number.POSITIVE_INFINITY;
    return [{ ...move, atMs: move.handover.atMs, untilMs }];
  });
}

interface Evidence {
  /** By volume. */
  readonly lines: ReadonlyMap<unknown, readonly NodeLogLine[]>;
  /** When etcd had the volume no more. */
  readonly goneMs: ReadonlyMap<string, number>;
  readonly inventories: readonly InventoryEvent[];
  /** When the rig may have seen a commit later. */
  readonly blindSpots: readonly Outage[];
  readonly clock: WorkClock;
}

const evidenceOf = (run: RecordedRun): Evidence => ({
  lines: Map.groupBy(run.logs, ({ fields }) => fields.volume),
  goneMs: new Map(
    volumeSteps(run).flatMap(({ id, after, event }) =>
      after === undefined ? [[id, event.atMs] as const] : [],
    ),
  ),
  inventories: run.history.filter((event) => event.type === 'inventory'),
  blindSpots: blindSpots(run),
  clock: workClockOf(run),
});

function first<T>(all: readonly T[], judged: (one: T) => Verdict | undefined): Verdict | undefined {
  for (const one of all) {
    const verdict = judged(one);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** By the agents' own word in etcd nobody exports a volume when it changes hands. */
function exportedAtHandover(run: RecordedRun): Verdict | undefined {
  for (const { event, before, after, id } of volumeSteps(run)) {
    if (before?.state !== 'moving' || after?.state !== 'moving' || before.node === after.node) continue;
    if (after.actual?.exports.length === 0) continue;
    return invalid(`volume ${id} was handed over while it was exported`, [
      `${position(event)}: ${before.node} hands it to ${after.node}`,
    ]);
  }
  return undefined;
}

function judge(evidence: Evidence, move: Handover): Verdict | undefined {
  const lines = evidence.lines.get(move.volume) ?? [];
  return exporting(evidence, move, lines) ?? lingering(evidence, move) ?? dropping(evidence, move);
}

function exporting(evidence: Evidence, move: Handover, lines: readonly NodeLogLine[]): Verdict | undefined {
  const { from, to, granted, atMs, untilMs } = move;
  const isBefore = (line: NodeLogLine, toMs: number): boolean =>
    evidence.clock.workedMs({ fromMs: line.atMs, toMs }, evidence.blindSpots) > SEEN_WITHIN_MS;
  const exports = lines.filter(({ event }) => event === 'volume.exported');
  const cutover = lines.findLast(
    (line) => line.event === 'move.cutover' && line.container === from && line.atMs <= atMs,
  );
  const early = exports.find(
    (line) =>
      line.container === to &&
      line.atMs > granted.atMs &&
      (line.atMs < (cutover?.atMs ?? 0) || isBefore(line, atMs)),
  );
  if (early !== undefined) return wrong(move, 'the new node exported it before it was its own', early);
  // Just before the volume is back, the move that brings it is judged by the line above.
  const late = exports.find((line) => line.container === from && line.atMs > atMs && isBefore(line, untilMs));
  return late && wrong(move, 'the old node exported it after it had handed it over', late);
}

function lingering({ inventories, clock }: Evidence, move: Handover): Verdict | undefined {
  const found = inventories.find(
    (event) =>
      event.node === move.from &&
      event.atMs > clock.after(move.atMs, COLLECTING_MS) &&
      event.atMs < move.untilMs &&
      event.inventory.exports.some(({ id }) => id === move.volume),
  );
  if (found === undefined) return undefined;
  return invalid(`volume ${move.volume}: the old node still exports it after its move`, [
    describeMove(move),
    `${seconds(found.atMs)}: ${move.from} exports it (inventory ${found.label})`,
  ]);
}

function dropping(evidence: Evidence, move: Handover): Verdict | undefined {
  const lines = evidence.lines.get(move.volume) ?? [];
  const seenGoneMs = evidence.goneMs.get(move.volume) ?? Number.POSITIVE_INFINITY;
  const goneMs = evidence.clock.before(seenGoneMs, SEEN_WITHIN_MS);
  const own = lines.filter(
    (line) => line.container === move.from && line.atMs < Math.min(move.untilMs, goneMs),
  );
  const mismatch = own.find(({ event }) => event === 'move.digest-mismatch');
  if (mismatch !== undefined) return wrong(move, 'the new node has something else', mismatch);
  const dropped = own.find(({ event, atMs }) => DROPS.has(event) && atMs > move.granted.atMs);
  if (dropped === undefined) return undefined;
  const verified = own.find(
    // One that could not be compared any more leaves the whole unknown.
    ({ event, atMs, fields }) =>
      VERIFIED.has(event) && fields.copy === move.copy && atMs > move.granted.atMs && atMs <= dropped.atMs,
  );
  return verified ? undefined : wrong(move, 'the old node dropped it unverified', dropped);
}

const VERIFIED: ReadonlySet<string> = new Set(['move.verified', 'move.unverified']);
/** Whatever ends the old node's subvolume. */
const DROPS: ReadonlySet<string> = new Set(['move.source-trashed', 'orphan.trashed']);

const wrong = (move: Handover, what: string, line: NodeLogLine): Verdict =>
  invalid(`volume ${move.volume}: ${what}`, [
    describeMove(move),
    `${seconds(move.atMs)}: the handover is seen`,
    describeLine(line),
  ]);

const describeLine = ({ atMs, container, event, fields }: NodeLogLine): string =>
  `${seconds(atMs)}: ${container} logs ${event} ${JSON.stringify(fields)}`;

function doubleService(run: RecordedRun): Verdict | undefined {
  const found = firstDoubleService(run);
  return found && invalid(found.reason, found.lines);
}
