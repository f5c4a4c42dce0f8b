import { describe, expect, it } from '@jest/globals';
import type { HistoryEvent, NemesisEvent, RecordedRun, Verdict } from '../../../../src/rig/history.ts';
import { cycleTable } from '../../../../src/rig/report/cycle-table.ts';
import { cyclesOf, faultTimes, median } from '../../../../src/rig/report/cycles.ts';
import { createHistory } from '../support/history.ts';

const phase = (atMs: number, of: NemesisEvent['phase'], id = '1-kill'): NemesisEvent => ({
  type: 'nemesis',
  atMs,
  phase: of,
  id,
  fault: { fault: 'kill', on: 'one' },
  members: ['node1'],
});

const health = (atMs: number, measuredMs: number, around = '1-kill'): HistoryEvent => ({
  type: 'expectation',
  atMs,
  what: 'the cluster is healthy',
  outcome: 'met',
  measuredMs,
  seen: '',
  around,
});

const runOf = (history: readonly HistoryEvent[]): RecordedRun => ({
  ...createHistory().run(),
  history,
});

/** From 900 to 6,000 ms: shows after 200, healed after 500. */
const LIFE = [
  health(1_000, 100),
  phase(1_100, 'inject'),
  phase(1_300, 'shown'),
  phase(2_500, 'heal'),
  phase(3_000, 'healed'),
  health(6_000, 3_000),
];

const said = (verdict: Verdict['verdict']): Verdict => ({ check: 'ends', verdict, reason: '' });

describe('the cycle of a fault', () => {
  it('lasts from one look at the health to the other', () => {
    expect(cyclesOf(runOf(LIFE))).toEqual([
      {
        fault: 'kill one',
        step: 'test 1-kill',
        injectedMs: 1_100,
        showedAfterMs: 200,
        healedAfterMs: 500,
        cycleMs: 5_100,
      },
    ]);
  });

  it('ends with its healing where nobody looked, and never where it was not seen to be gone', () => {
    const unwatched = LIFE.filter(({ type }) => type === 'nemesis');
    expect(cyclesOf(runOf(unwatched))[0]?.cycleMs).toBe(1_900);
    expect(cyclesOf(runOf(LIFE.slice(0, 4)))[0]).toMatchObject({
      healedAfterMs: undefined,
      cycleMs: undefined,
    });
    expect(cyclesOf(runOf([phase(0, 'unavailable')]))).toEqual([]);
  });

  it('is told from that of the same fault at another time', () => {
    const again = [
      phase(7_000, 'inject', '2-kill'),
      phase(8_000, 'heal', '2-kill'),
      phase(9_000, 'healed', '2-kill'),
      health(9_500, 1, '2-kill'),
    ];
    expect(cyclesOf(runOf([...LIFE, ...again])).map(({ cycleMs }) => cycleMs)).toEqual([5_100, 2_500]);
  });
});

describe('the times of faults', () => {
  it('bear their share of what the run took besides, and what its checks said', () => {
    const runs = [
      { run: runOf(LIFE), verdicts: [said('valid'), said('unknown')], elapsedMs: 8_100 },
      { run: runOf(LIFE), verdicts: [said('invalid')], elapsedMs: 9_100 },
    ];
    expect(faultTimes(runs)).toEqual([
      {
        fault: 'kill one',
        times: 2,
        showedAfterMs: 200,
        healedAfterMs: 500,
        cycleMs: 5_100,
        withShareMs: 8_100,
        judged: { valid: 1, invalid: 1, unknown: 1 },
      },
    ]);
  });

  it('have medians of what there is', () => {
    expect(median([3, undefined, 1, 2])).toBe(2);
    expect(median([2, 1])).toBe(1);
    expect(median([undefined])).toBeUndefined();
  });

  it.each([40, 60, 80, 120])('make a table of %i columns', (columns) => {
    const runs = [{ run: runOf(LIFE), verdicts: [said('valid')], elapsedMs: 8_100 }];
    const lines = cycleTable(faultTimes(runs), { columns });
    expect(lines.join('\n')).toMatch(/kill one *\n? +1 +0\.2 +0\.5 +5\.1 +8\.1 +1\/1\n/);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.join(' ')).toContain('1 cycle of 1 fault.');
    expect(cycleTable([], { columns })).toEqual(['No fault was injected.']);
  });
});
