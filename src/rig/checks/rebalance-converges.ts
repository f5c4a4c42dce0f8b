// What the cluster moves of its own accord comes to an end: no volume moves
// twice for one cause, none is sent off again and again, and only so many are on
// the move at a time.
//
// Assumes that a cause is whatever the balance or a drain may have been decided
// on (move-causes.ts). Moves for what a client asked of a volume (`fit`) count
// among the moves at a time, of which one is always allowed; those that can't get
// on, because a node is away, its disk bad, or their agent says so, don't count.
// A move that was called off may be tried again for the same cause, each time
// after a longer wait: 1 s, doubling, up to at least PATIENCE_MS.

import type { Check, RecordedRun, Verdict } from '../history.ts';
import { causesOf } from './move-causes.ts';
import { createProgress } from './move-progress.ts';
import { describeMove, type Move, movesOf } from './moves-history.ts';
import { countFirst } from './sorted.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('rebalance-converges');

const FIRST_PATIENCE_MS = 1_000;
const PATIENCE_MS = 30_000;
/** The rig sees a commit at most so late, by the work clock; an attempt may be on its way when the waiting begins. */
const SEEN_WITHIN_MS = 5_000;

export const rebalanceConverges: Check = (run) => {
  const all = movesOf(run);
  const unasked = all.filter(({ cause }) => cause !== 'asked');
  const causes = causesOf(run);
  const done = unasked.filter(({ handover, cause }) => handover !== undefined && cause !== 'fit');
  const violation =
    crowded(run, unasked) ?? repeated(done, causes) ?? restless(all, causes, workClockOf(run));
  if (violation !== undefined) return violation;
  if (done.length === 0) return unknown('no volume was moved by a drain or for the balance');
  const last = done.at(-1)?.handover;
  return valid(
    `${count(done.length, 'move')}, never more than ${run.topology.settings.maxMoves} at a time, none twice; ` +
      `the last was handed over at ${last === undefined ? 'no time' : position(last)}`,
  );
};

function crowded(run: RecordedRun, unasked: readonly Move[]): Verdict | undefined {
  const { maxMoves } = run.topology.settings;
  const getsOn = createProgress(run);
  let open: readonly Move[] = [];
  for (const move of unasked) {
    const { revision, atMs } = move.granted;
    open = [...open.filter(({ ended }) => ended === undefined || ended.revision > revision), move];
    const most = move.cause === 'fit' ? Math.max(1, maxMoves) : maxMoves;
    if (open.length <= most) continue;
    const atOnce = open.filter((other) => other === move || getsOn(other, { revision, atMs }));
    if (atOnce.length <= most) continue;
    return invalid(
      `${count(atOnce.length, 'volume')} on the move at a time, at most ${most} may be`,
      atOnce.map(describeMove),
    );
  }
  return undefined;
}

/** After the earlier one was decided on: what was decided later may have had another cause. */
function repeated(done: readonly Move[], causes: readonly number[]): Verdict | undefined {
  for (const [volume, moves] of Map.groupBy(done, (move) => move.volume)) {
    for (const [index, move] of moves.entries()) {
      const earlier = moves[index - 1];
      if (earlier === undefined || isBetween(causes, earlier, move)) continue;
      return invalid(`volume ${volume} moved twice for one cause`, [earlier, move].map(describeMove));
    }
  }
  return undefined;
}

/** Sent to one and the same node, and called off, more often than the growing waits in between allow. */
function restless(all: readonly Move[], causes: readonly number[], clock: WorkClock): Verdict | undefined {
  const inVain = all.filter(({ handover }) => handover === undefined);
  for (const moves of Map.groupBy(inVain, ({ volume, to }) => `${volume} ${to}`).values()) {
    let tries: Move[] = [];
    for (const move of moves) {
      const previous = tries.at(-1);
      if (previous !== undefined && isBetween(causes, previous, move)) tries = [];
      tries.push(move);
      const [first] = tries;
      if (first === undefined) continue;
      const untilMs = clock.after(move.granted.atMs, SEEN_WITHIN_MS);
      if (tries.length <= triesWithin(untilMs - first.granted.atMs)) continue;
      return invalid(
        `volume ${move.volume} was sent to ${move.to} ${tries.length} times within ` +
          `${seconds(move.granted.atMs - first.granted.atMs)} for one cause, each time in vain`,
        tries.map(describeMove),
      );
    }
  }
  return undefined;
}

function triesWithin(spanMs: number): number {
  let tries = 1;
  let patienceMs = FIRST_PATIENCE_MS;
  for (let leftMs = spanMs; leftMs >= patienceMs; tries += 1) {
    leftMs -= patienceMs;
    patienceMs = Math.min(PATIENCE_MS, patienceMs * 2);
  }
  return tries;
}

function isBetween(causes: readonly number[], earlier: Move, later: Move): boolean {
  const next = causes[countFirst(causes, (revision) => revision <= earlier.granted.revision)];
  return next !== undefined && next < later.granted.revision;
}
