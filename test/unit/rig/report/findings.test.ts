import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../../src/rig/history.ts';
import { findings } from '../../../../src/rig/report/findings.ts';
import { glanceOf } from '../../../../src/rig/report/glance.ts';
import { createHistory } from '../support/history.ts';
import { outageRun } from '../support/runs.ts';

const run = outageRun().history.run();
const invalid = (...counterExample: string[]): Verdict => ({
  check: 'access',
  verdict: 'invalid',
  reason: 'it is wrong',
  counterExample,
});
const spans = (...lines: string[]) => findings(run, [invalid(...lines)])[0]?.lines.map(({ span }) => span);

describe('findings', () => {
  it('puts what is invalid before what is unknown, and leaves out what is good', () => {
    const verdicts: readonly Verdict[] = [
      { check: 'a', verdict: 'unknown', reason: '' },
      { check: 'b', verdict: 'valid', reason: '' },
      { check: 'c', verdict: 'invalid', reason: '' },
    ];
    expect(findings(run, verdicts).map(({ check }) => check)).toEqual(['c', 'a']);
  });

  it('begins with what went wrong first; what explains a line is no moment of its own', () => {
    const at = (check: string, ...lines: string[]): Verdict => ({ ...invalid(...lines), check });
    const verdicts = [
      at('never', 'nothing of a time'),
      at('late', '+20.000 s: x', '  against what was at +1.000 s'),
      at('early', '+9.000 s: x', '+4.000 s: y'),
      { ...at('unseen', '+1.000 s: x'), verdict: 'unknown' as const },
      at('not either', 'nor of another'),
    ];
    const order = ['early', 'late', 'never', 'not either', 'unseen'];
    expect(findings(run, verdicts).map(({ check }) => check)).toEqual(order);
    expect(glanceOf(run, verdicts).found).toEqual(order);
  });

  it('finds the moments that a line speaks of', () => {
    expect(spans('+3.412 s: x', 'from +1 s to +2.5 s', 'nothing of a time', 'in 3 s')).toEqual([
      { fromMs: 3412, toMs: 3412 },
      { fromMs: 1000, toMs: 2500 },
      undefined,
      undefined,
    ]);
  });

  it('begins with what took long where it began', () => {
    expect(spans('+20.000 s: x (within 1000 ms, took 1500 ms)')).toEqual([{ fromMs: 18_500, toMs: 20_000 }]);
  });

  it('knows when a revision was seen', () => {
    expect(spans('revision 16 is odd', 'revision 999 is not there')).toEqual([
      { fromMs: 24_100, toMs: 24_100 },
      undefined,
    ]);
  });

  it('names the faults that were active then', () => {
    const active = (line: string) => findings(run, [invalid(line)])[0]?.faults.map(({ label }) => label);
    expect(active('+18.000 s: x')).toEqual(['etcd down']);
    expect(active('+16.999 s: x')).toEqual([]);
  });
});

describe('glanceOf', () => {
  it('says which faults were active when it went wrong, and how the calls went', () => {
    expect(glanceOf(run, [invalid('+18.000 s: x')])).toEqual({
      found: ['access'],
      faults: 'faults then: etcd down at +17.000 s',
      calls: 'calls: 12, 2 refused, 0 went wrong; median 5 ms, p95 5 ms',
      interrupted: undefined,
    });
    expect(glanceOf(run, [invalid('+5.000 s: x')]).faults).toBe('faults then: none');
  });

  it('tells refusals, which are answers, from what went wrong', () => {
    const history = createHistory();
    for (const status of [412, 409, 404, 503, 500, undefined]) history.http(status);
    history.io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'refused' });
    history.io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'absent' });
    history.io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'fail' });
    history.io({ kind: 'nfs-write', consumer: 'consumer1', outcome: 'cut' });
    expect(glanceOf(history.run(), []).calls).toContain('calls: 10, 5 refused, 5 went wrong');
  });

  it('says the faults of the whole run when no finding speaks of a moment', () => {
    expect(glanceOf(run, []).faults).toBe('faults: etcd down at +17.000 s');
  });

  it('says where the record of an interrupted run ends', () => {
    expect(
      glanceOf(createHistory().at(3000).http(200).run({ interrupted: 'Somebody stopped it.' }), [])
        .interrupted,
    ).toBe('interrupted at +3.005 s: Somebody stopped it.');
  });
});
