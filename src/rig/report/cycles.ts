// How long each fault took: from a cluster that is well, by its injection, the work
// under it and its healing, to one that is well again.

import { endMs } from '../checks/outages.ts';
import type { ExpectationEvent, Judgement, NemesisEvent, RecordedRun, Verdict } from '../history.ts';
import { faultSentence } from './fault-windows.ts';

export interface Cycle {
  /** As a sentence. */
  readonly fault: string;
  /** The same for the same step of a scenario in other runs, whoever was drawn to be hit. */
  readonly step: string;
  /** On the run's time line. */
  readonly injectedMs: number;
  /** From the injection to the evidence that it bit; undefined when there was none. */
  readonly showedAfterMs: number | undefined;
  /** From the word that it is healed to the evidence that nothing of it is left. */
  readonly healedAfterMs: number | undefined;
  /** The looks at the cluster's health before and after it included; undefined when it was never seen to be gone. */
  readonly cycleMs: number | undefined;
}

/** In the order of their injection. */
export function cyclesOf(run: RecordedRun): readonly Cycle[] {
  return run.history.flatMap((event) =>
    event.type === 'nemesis' && event.phase === 'inject' ? [cycleOf(run, event)] : [],
  );
}

function cycleOf({ scenario, durationMs, history }: RecordedRun, inject: NemesisEvent): Cycle {
  const fault = faultSentence(inject);
  const phase = (wanted: NemesisEvent['phase']): number | undefined =>
    history.find((one) => one.type === 'nemesis' && one.id === inject.id && one.phase === wanted)?.atMs;
  const looks = history.filter(
    (one): one is ExpectationEvent => one.type === 'expectation' && one.around === inject.id,
  );
  const [shownMs, healMs, healedMs] = [phase('shown'), phase('heal'), phase('healed')];
  const before = looks.find(({ atMs }) => atMs <= inject.atMs);
  const after = looks.find(({ atMs }) => healMs !== undefined && atMs > healMs);
  const beganMs = before === undefined ? inject.atMs : before.atMs - (before.measuredMs ?? 0);
  return {
    fault,
    // What a seed draws has steps of its own.
    step: durationMs === undefined ? `${scenario} ${inject.id}` : fault,
    injectedMs: inject.atMs,
    showedAfterMs: shownMs === undefined ? undefined : shownMs - inject.atMs,
    healedAfterMs: healedMs === undefined || healMs === undefined ? undefined : healedMs - healMs,
    cycleMs: healedMs === undefined ? undefined : Math.max(healedMs, after?.atMs ?? 0) - beganMs,
  };
}

export interface TimedRun {
  readonly run: RecordedRun;
  readonly verdicts: readonly Verdict[];
  /** From before the cluster's start to the verdict; default: as long as was recorded. */
  readonly elapsedMs?: number | undefined;
}

/** One fault in all runs that had it: medians, in milliseconds. */
export interface FaultTimes {
  readonly fault: string;
  readonly times: number;
  readonly showedAfterMs: number | undefined;
  readonly healedAfterMs: number | undefined;
  readonly cycleMs: number | undefined;
  /** The cycle with its share of what the run took besides: start, end and judging, split evenly. */
  readonly withShareMs: number | undefined;
  /** Of the runs that had it, what their checks said. */
  readonly judged: Readonly<Record<Judgement, number>>;
}

/** In the order in which they were first injected. */
export function faultTimes(runs: readonly TimedRun[]): readonly FaultTimes[] {
  const all = runs.flatMap(({ run, verdicts, elapsedMs }) => {
    const cycles = cyclesOf(run);
    const inCycles = cycles.reduce((sum, { cycleMs = 0 }) => sum + cycleMs, 0);
    const shareMs = Math.max(0, (elapsedMs ?? endMs(run)) - inCycles) / Math.max(1, cycles.length);
    return cycles.map((cycle) => ({ cycle, shareMs, verdicts }));
  });
  return [...new Set(all.map(({ cycle }) => cycle.step))].map((step) => {
    const same = all.filter(({ cycle }) => cycle.step === step);
    const of = (field: 'showedAfterMs' | 'healedAfterMs' | 'cycleMs') =>
      median(same.map(({ cycle }) => cycle[field]));
    const judgedBy = new Set(same.map(({ verdicts }) => verdicts));
    const count = (wanted: Judgement): number =>
      [...judgedBy].flat().filter(({ verdict }) => verdict === wanted).length;
    return {
      fault: same[0]?.cycle.fault ?? step,
      times: same.length,
      showedAfterMs: of('showedAfterMs'),
      healedAfterMs: of('healedAfterMs'),
      cycleMs: of('cycleMs'),
      withShareMs: median(
        same.map(({ cycle, shareMs }) => (cycle.cycleMs === undefined ? undefined : cycle.cycleMs + shareMs)),
      ),
      judged: { valid: count('valid'), invalid: count('invalid'), unknown: count('unknown') },
    };
  });
}

/** Of those that there are; the lower of the two in the middle. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
