import { describe, expect, it } from '@jest/globals';
import type { RecordedRun, Verdict } from '../../../../src/rig/history.ts';
import { compare } from '../../../../src/rig/report/compare.ts';
import { diffText } from '../../../../src/rig/report/diff-text.ts';
import { createHistory } from '../support/history.ts';

const verdict = (check: string, judged: Verdict['verdict'], reason = 'so'): Verdict => ({
  check,
  verdict: judged,
  reason,
});
const compared = (run: RecordedRun, verdicts: readonly Verdict[] = []) =>
  ({ run, verdicts, folder: 'runs/1', verdict: 'valid' }) as const;

const slow = createHistory();
slow.at(0).io({ kind: 'nfs-read', consumer: 'c', tookMs: 400 });
slow.at(500).expectation({ what: 'it leads', measuredMs: 1000 }).expectation({ what: 'same', measuredMs: 7 });
slow.at(900).expectation({ what: 'it leads', measuredMs: 300 }).expectation({ what: 'none' });

const fast = createHistory();
for (const tookMs of [10, 20, 30, 200]) fast.io({ kind: 'nfs-read', consumer: 'c', tookMs });
fast.io({ kind: 'nfs-read', consumer: 'c', tookMs: 9000, outcome: 'fail' });
fast
  .io({ kind: 'nfs-read', consumer: 'c', outcome: 'pending' })
  .http(200, { path: '/volumes/v1?x', method: 'GET' });
fast.expectation({ what: 'it leads', measuredMs: 100 }).expectation({ what: 'same', measuredMs: 7 });
fast.at(1000).fault('kill', 'node1').at(3000).fault('start', 'node1').at(4000).fault('kill', 'node1');

describe('compare', () => {
  it('lists the checks that say something else, not what is good in both', () => {
    const a = compared(slow.run(), [
      verdict('x', 'valid', '1 call'),
      verdict('y', 'valid'),
      verdict('z', 'invalid', 'p'),
    ]);
    const b = compared(fast.run(), [
      verdict('x', 'valid', '2 calls'),
      verdict('y', 'unknown'),
      verdict('z', 'invalid', 'q'),
      verdict('only', 'valid'),
    ]);
    expect(compare(a, b).checks.map(({ name }) => name)).toEqual(['y', 'z', 'only']);
    expect(compare(a, a).checks).toEqual([]);
  });

  it('pairs measured times by what was expected, and which time, the greatest change first', () => {
    expect(compare(compared(slow.run()), compared(fast.run())).expectations).toEqual([
      { name: 'it leads (2)', a: 300, b: undefined },
      { name: 'it leads', a: 1000, b: 100 },
      { name: 'same', a: 7, b: 7 },
    ]);
  });

  it('counts calls by their kind, with times of those that were answered', () => {
    expect(compare(compared(slow.run()), compared(fast.run())).calls).toEqual([
      {
        name: 'nfs-read',
        a: { calls: 1, refused: 0, wrong: 0, medianMs: 400, p95Ms: 400 },
        b: { calls: 6, refused: 0, wrong: 2, medianMs: 20, p95Ms: 200 },
      },
      {
        name: 'GET /volumes/:id',
        a: undefined,
        b: { calls: 1, refused: 0, wrong: 0, medianMs: 5, p95Ms: 5 },
      },
    ]);
  });

  it('counts faults and how long they lasted', () => {
    expect(compare(compared(slow.run()), compared(fast.run())).faults).toEqual([
      { name: 'node1 down', a: undefined, b: { count: 2, lastedMs: Number.POSITIVE_INFINITY } },
    ]);
  });
});

describe('diffText', () => {
  const a = compared(slow.run(), [verdict('one-leader', 'valid')]);
  const b = compared(fast.run(), [
    verdict('one-leader', 'invalid', 'two engines believed that they lead at once'),
  ]);
  const text = (columns: number) => diffText({ a, b, comparison: compare(a, b), columns });

  it('says what differs, side by side and with ratios', () => {
    const lines = text(80)
      .split('\n')
      .map((line) => line.trim().replaceAll(/ +/g, ' '));
    expect(lines).toEqual(
      expect.arrayContaining([
        'one-leader: valid -> invalid',
        'B: two engines believed that they lead at once',
        'it leads 1000 100 0.10',
        'it leads (2) 300 - -',
        'median ms 400 20 0.05',
        'went wrong 0 2 -',
        'A none; B 2 times, to the end',
      ]),
    );
  });

  it("names each run's mode", () => {
    const simulated = compared(slow.run({ mode: 'simulated' }));
    expect(diffText({ a: simulated, b, comparison: compare(simulated, b) })).toMatch(
      /^A {2}valid {2}test, simulated, seed 1\n.*\nB {2}valid {2}test, containers, seed 1\n/,
    );
  });

  it.each([40, 80])('fits %i columns', (columns) => {
    const wide = text(columns)
      .split('\n')
      .filter((line) => line.length > columns);
    expect(wide).toEqual([]);
  });

  it('says none where nothing differs', () => {
    const same = compared(createHistory().run());
    expect(
      diffText({ a: same, b: same, comparison: compare(same, same) }).match(/^ {2}none$/gm),
    ).toHaveLength(4);
  });
});
