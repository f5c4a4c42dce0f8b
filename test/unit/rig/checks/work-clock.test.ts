import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { undisturbedMs } from '../../../../src/rig/checks/spans.ts';
import {
  createWorkClock,
  deadline,
  LONGEST_EXTRA_MS,
  onQuietMachine,
  UNMEASURED_SLOWDOWN,
  workClockOf,
} from '../../../../src/rig/checks/work-clock.ts';
import type { MachineEvent } from '../../../../src/rig/history.ts';
import { QUIET } from '../../../support/site.ts';
import { createHistory } from '../support/history.ts';

const span = (fromMs: number, toMs: number) => ({ fromMs, toMs });
const sample = (atMs: number, how: Partial<MachineEvent> = {}): MachineEvent => ({
  type: 'machine',
  atMs,
  overMs: 1_000,
  lateMs: 0,
  runnable: 1,
  cores: 2,
  ...how,
});
/** Quiet, four times as slow, suspended for nine tenths, quiet; then nothing is known. */
const mixed = createWorkClock([
  sample(1_000),
  sample(2_000, { runnable: 8 }),
  sample(3_000, { lateMs: 900 }),
  sample(4_000),
]);

describe('the work clock', () => {
  it('counts by the share of a core that a process had, and no time in which nobody ran', () => {
    expect(mixed.workedMs(span(0, 1_000))).toBe(1_000);
    expect(mixed.workedMs(span(1_000, 2_000))).toBe(250);
    expect(mixed.workedMs(span(2_000, 3_000))).toBeCloseTo(100);
    expect(mixed.workedMs(span(500, 3_500))).toBeCloseTo(500 + 250 + 100 + 500);
    expect(mixed.workedMs(span(4_000, 4_000 + UNMEASURED_SLOWDOWN))).toBeCloseTo(1);
    expect(createWorkClock([sample(1_000), sample(1_000, { overMs: 0 })]).workedMs(span(0, 1_000))).toBe(
      1_000,
    );
  });

  it('is no faster for a process that has more cores than it needs', () => {
    expect(createWorkClock([sample(1_000, { cores: 64 })]).workedMs(span(0, 1_000))).toBe(1_000);
  });

  it('leaves out what was disturbed, and has nothing of a span that is none', () => {
    expect(mixed.workedMs(span(0, 2_000), [span(500, 1_500)])).toBe(500 + 125);
    expect(mixed.workedMs(span(2_000, 1_000))).toBe(0);
  });

  it('tells when so much has counted, forwards and back', () => {
    expect(mixed.after(500, 625)).toBe(1_500);
    expect(mixed.before(1_500, 625)).toBe(500);
    expect(mixed.after(Number.POSITIVE_INFINITY, 10)).toBe(Number.POSITIVE_INFINITY);
    expect(mixed.before(Number.POSITIVE_INFINITY, 10)).toBe(Number.POSITIVE_INFINITY);
  });

  it('goes as time does on a quiet machine, and never faster on any', () => {
    const times = fc.array(fc.nat(20_000), { minLength: 2, maxLength: 8 });
    const machines = fc.array(
      fc.record({ overMs: fc.integer({ min: 500, max: 5_000 }), runnable: fc.nat(80), late: fc.nat(500) }),
    );
    fc.assert(
      fc.property(times, machines, ([fromMs = 0, lengthMs = 0, ...rest], looks) => {
        const within = span(fromMs, fromMs + lengthMs);
        const others = rest.map((atMs) => span(atMs, atMs + 700));
        const quiet = createWorkClock([QUIET]);
        expect(quiet.workedMs(within, others)).toBe(undisturbedMs(within, others));
        let atMs = 0;
        const clock = createWorkClock(
          looks.map(({ overMs, runnable, late }) => {
            atMs += overMs;
            return sample(atMs, { overMs, runnable, lateMs: Math.min(late, overMs - 1) });
          }),
        );
        const workedMs = clock.workedMs(within);
        expect(workedMs).toBeLessThanOrEqual(lengthMs + 1e-6);
        expect(clock.after(fromMs, workedMs)).toBeCloseTo(within.toMs, 3);
        expect(clock.before(within.toMs, workedMs)).toBeCloseTo(fromMs, 3);
      }),
    );
  });

  it('is read from the record, and may be set aside', () => {
    const run = createHistory().at(1_000).machine(1_000, { runnable: 20 }).run();
    expect(workClockOf(run).workedMs(span(0, 1_000))).toBe(100);
    expect(workClockOf(onQuietMachine(run)).workedMs(span(0, 1_000))).toBe(1_000);
  });
});

describe('a deadline', () => {
  const journal = (machine: readonly MachineEvent[]) => {
    let nowMs = 0;
    return { journal: { atMs: () => nowMs, machine }, pass: (ms: number) => (nowMs += ms) };
  };

  it('is over when the bound is, on a quiet machine', () => {
    const { journal: quiet, pass } = journal([QUIET]);
    const isOver = deadline(quiet, 1_000);
    pass(1_000);
    expect(isOver()).toBe(false);
    pass(2);
    expect(isOver()).toBe(true);
  });

  it('waits for as long as the machine is slow, by what was measured until now', () => {
    const machine: MachineEvent[] = [];
    const { journal: slow, pass } = journal(machine);
    const isOver = deadline(slow, 1_000);
    for (let second = 1; second <= 10; second += 1) {
      pass(1_000);
      machine.push(sample(1_000 * second, { runnable: 20 }));
      expect(isOver()).toBe(false);
    }
    pass(1_000);
    machine.push(sample(11_000));
    expect(isOver()).toBe(true);
  });

  it('is over some time, however slow the machine is', () => {
    const { journal: stuck, pass } = journal([sample(1_000_000, { overMs: 1_000_000, runnable: 20_000 })]);
    const isOver = deadline(stuck, 1_000);
    pass(LONGEST_EXTRA_MS);
    expect(isOver()).toBe(false);
    pass(2_000);
    expect(isOver()).toBe(true);
  });
});
