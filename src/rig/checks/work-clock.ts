// The clock that bounds on work are measured with. A machine that is shared by too
// many does the same work later, and nothing is wrong with who does it: so time
// counts by how much of it a process had that had the machine to itself, as the rig
// measured it all along (`machine` events).
//
// - With `runnable` tasks for `cores` cores a fair scheduler gives each of them
//   `cores / runnable` of a core: work takes `runnable / cores` times as long. Groups of
//   processes (cgroups, sessions) may make that a few times as much or as little; what is
//   left for work is a multiple of what the work takes, for that reason among others.
// - By what the rig's own timers were late nobody is sure to have done anything: a
//   machine that was suspended, or whose hypervisor ran somebody else, shows only so.
//
// Waiting (leases, intervals) isn't slowed. A bound is what the settings say that is
// waited, plus an allowance for work, and all of it is held against this clock: it never
// goes faster than the time that passes, so that whoever was in time by that is so by
// this, and on a quiet machine the two are one.

import type { MachineEvent, RecordedRun } from '../history.ts';
import { countFirst } from './sorted.ts';
import { type Span, undisturbedSpans } from './spans.ts';

/**
 * Where nothing was measured (macOS has no /proc/loadavg; runs of older versions; before the first event and
 * after the last) work is taken to be so many times as slow.
 */
export const UNMEASURED_SLOWDOWN = 3;

export interface WorkClock {
  /** How much of the span counts, without what the disturbances cover; at most its length. */
  workedMs(span: Span, disturbances?: readonly Span[]): number;
  /** The moment at which so much has counted since. */
  after(fromMs: number, workMs: number): number;
  /** The moment since which so much has counted. */
  before(toMs: number, workMs: number): number;
}

/** From here on, up to the next, so much of each millisecond counts. */
interface Knot {
  readonly atMs: number;
  readonly workMs: number;
  readonly share: number;
}

/** The samples by time. */
export function createWorkClock(samples: readonly MachineEvent[]): WorkClock {
  const knots = knotsOf(samples);
  const last = (isReached: (knot: Knot) => boolean): Knot =>
    knots[Math.max(0, countFirst(knots, isReached) - 1)] as Knot;
  const workAt = (momentMs: number): number => {
    const { atMs, workMs, share } = last((knot) => knot.atMs <= momentMs);
    return workMs + (momentMs - atMs) * share;
  };
  const momentOf = (soughtMs: number): number => {
    const { atMs, workMs, share } = last((knot) => knot.workMs <= soughtMs);
    return atMs + (soughtMs - workMs) / share;
  };
  return {
    workedMs: (span, disturbances = []) =>
      undisturbedSpans(span, disturbances).reduce(
        (total, { fromMs, toMs }) => total + workAt(toMs) - workAt(fromMs),
        0,
      ),
    after: (fromMs, workMs) => momentOf(workAt(fromMs) + workMs),
    before: (toMs, workMs) => momentOf(workAt(toMs) - workMs),
  };
}

function knotsOf(samples: readonly MachineEvent[]): readonly Knot[] {
  const unmeasured = 1 / UNMEASURED_SLOWDOWN;
  const knots: Knot[] = [{ atMs: 0, workMs: 0, share: unmeasured }];
  for (const sample of samples) {
    for (const [atMs, share] of [
      [sample.atMs - sample.overMs, shareOf(sample)],
      [sample.atMs, unmeasured],
    ] as const) {
      const previous = knots.at(-1) as Knot;
      // Times are rounded: one may begin a little before the one before it has ended.
      const reachedMs = Math.max(previous.atMs, atMs);
      const workMs = previous.workMs + (reachedMs - previous.atMs) * previous.share;
      knots.push({ atMs: reachedMs, workMs, share });
    }
  }
  return knots;
}

/** Of each millisecond: at most 1, for work that had the machine to itself. */
export const shareOf = ({ overMs, lateMs, runnable, cores }: MachineEvent): number =>
  overMs > 0 ? Math.max(0, overMs - lateMs) / overMs / Math.max(1, runnable / cores) : 1;

const isSample = (event: RecordedRun['history'][number]): event is MachineEvent => event.type === 'machine';

// Checks ask for it again and again.
const clocks = new WeakMap<RecordedRun['history'], WorkClock>();

/** The clock of the machine that the run was recorded on. */
export function workClockOf({ history }: Pick<RecordedRun, 'history'>): WorkClock {
  const known = clocks.get(history);
  if (known !== undefined) return known;
  const clock = createWorkClock(history.filter(isSample));
  clocks.set(history, clock);
  return clock;
}

/** The run as if all of it had been seen at these times on a machine that nobody else used. */
export function onQuietMachine(run: RecordedRun): RecordedRun {
  const always = { atMs: Number.MAX_SAFE_INTEGER, overMs: Number.MAX_SAFE_INTEGER };
  const quiet: MachineEvent = { type: 'machine', ...always, lateMs: 0, runnable: 1, cores: 1 };
  return { ...run, history: [...run.history.filter((event) => !isSample(event)), quiet] };
}

/** A wait goes on no longer than this beyond its bound, however slow the machine may be. */
export const LONGEST_EXTRA_MS = 300_000;

/** Times are rounded to milliseconds on their way into the record. */
const ROUNDING_MS = 1;

/**
 * Answers, whenever it is asked, whether a wait is over that began at `fromMs` and may take as much of working time
 * as `boundMs`: not before the record shows it. What came of the wait is for the checks to judge.
 */
export function deadline(
  journal: { atMs(): number; readonly machine: readonly MachineEvent[] },
  boundMs: number,
  fromMs: number = journal.atMs(),
): () => boolean {
  return () => {
    const nowMs = journal.atMs();
    const extraMs = nowMs - fromMs - boundMs;
    if (extraMs < 0 || extraMs > LONGEST_EXTRA_MS) return extraMs > 0;
    if (boundMs === 0) return true;
    const toMs = Math.min(nowMs, journal.machine.at(-1)?.atMs ?? nowMs);
    // Built anew, for there are more samples by now; but only for who is late already.
    return createWorkClock(journal.machine).workedMs({ fromMs, toMs }) > boundMs + ROUNDING_MS;
  };
}
