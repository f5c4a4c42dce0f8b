import { describe, expect, it } from '@jest/globals';
import { summary } from '../../../../src/rig/report/summary.ts';
import type { ScenarioResult } from '../../../../src/rig/report/verdict.ts';

const good: ScenarioResult = {
  scenario: 'export-created',
  seed: 7,
  folder: 'runs/1-export-created-7',
  elapsedMs: 8123,
  verdict: 'valid',
  verdicts: [{ check: 'access', verdict: 'valid', reason: 'fine' }],
};
const bad: ScenarioResult = {
  ...good,
  scenario: 'agent-down-volume-scheduled',
  folder: 'runs/1-agent-down-volume-scheduled-7',
  elapsedMs: 31_000,
  verdict: 'invalid',
  verdicts: [
    { check: 'logs', verdict: 'unknown', reason: 'no log line of node2' },
    { check: 'access', verdict: 'valid', reason: 'fine' },
    {
      check: 'one-leader',
      verdict: 'invalid',
      reason: 'two engines believed at the same time that they lead, which is more than there may be',
      counterExample: [
        'first\n   of two\nlines of what a program had printed',
        'second',
        'third',
        'fourth',
        'fifth',
      ],
    },
  ],
};

const glance = {
  found: ['one-leader', 'logs'],
  faults: 'faults then: etcd down at +17.000 s',
  calls: 'calls: 12, 3 refused, 1 went wrong; median 5 ms, p95 9 ms',
  interrupted: 'interrupted at +3.000 s: Somebody stopped it.',
};

describe('summary', () => {
  it('says of one run what the page says, in its order', () => {
    expect(summary([{ ...bad, glance: { ...glance, interrupted: undefined } }], { columns: 80 })).toBe(
      [
        'invalid  agent-down-volume-scheduled: 1 of 3 checks valid, 31.0 s, seed 7',
        '  one-leader (invalid): two engines believed at the same time that they lead,',
        '    which is more than there may be',
        '    first of two lines of what a program had printed (+4 more)',
        '  also logs (unknown)',
        '  faults then: etcd down at +17.000 s',
        '  calls: 12, 3 refused, 1 went wrong; median 5 ms, p95 9 ms',
        '  report: runs/1-agent-down-volume-scheduled-7/report.html',
        '  again: npm run rig -- run agent-down-volume-scheduled --seed 7',
        '0 valid, 1 invalid, 0 unknown',
      ].join('\n'),
    );
  });

  it('begins with what went wrong first, wherever it stands in the list', () => {
    const invalid = (check: string) => ({ check, verdict: 'invalid', reason: 'so' }) as const;
    const verdicts = [invalid('ends'), ...bad.verdicts, invalid('fencing')];
    const found = ['fencing', 'one-leader', 'ends', 'logs'];
    const text = summary([{ ...bad, verdicts, glance: { ...glance, interrupted: undefined, found } }]);
    expect(text).toContain('seed 7\n  fencing (invalid): so\n');
    expect(text).toContain('\n  also one-leader (invalid), ends (invalid), logs (unknown)\n');
  });

  it('tells what open files saw, where there is nothing worse to tell', () => {
    const mounts = ['application: ESTALE ×2 from +2.000 s on', 'another: nothing'];
    const seen = { ...glance, interrupted: undefined, mounts };
    const text = summary([{ ...good, glance: seen }], { columns: 80 });
    expect(text).toContain('\n  application: ESTALE ×2 from +2.000 s on\n  another: nothing\n  report: ');
    expect(summary([{ ...bad, glance: seen }], { columns: 80 })).not.toContain('application');
  });

  it('has a line a scenario of several', () => {
    expect(summary([good, good], { columns: 80 })).toBe(
      [
        'scenario        verdict   time  run',
        'export-created  valid    8.1 s  runs/1-export-created-7',
        'export-created  valid    8.1 s  runs/1-export-created-7',
        '',
        '2 valid, 0 invalid, 0 unknown',
      ].join('\n'),
    );
  });

  it('says of several what is wrong first, then what is unknown, and how to do it again', () => {
    const text = summary([good, bad], { columns: 100 });
    expect(text.indexOf('one-leader (invalid)')).toBeLessThan(text.indexOf('logs (unknown)'));
    expect(text).toContain('npm run rig -- run agent-down-volume-scheduled --seed 7');
    expect(text).not.toContain('access');
    expect(text).toMatch(/1 valid, 1 invalid, 0 unknown$/);
  });

  it.each([40, 64, 80])('fits %i columns, but for folders and commands, and ten lines', (columns) => {
    const several = summary([good, { ...bad, glance }], { columns }).split('\n');
    const one = summary([{ ...bad, glance }], { columns }).split('\n');
    const wide = [...several, ...one].filter((line) => line.length > columns && !/runs\/|npm run/.test(line));
    expect(wide).toEqual([]);
    expect(one.length).toBeLessThanOrEqual(10);
  });

  it('has no verdict on a run that was interrupted, and tells only what was wrong until then', () => {
    const text = summary([{ ...bad, glance }], { columns: 80 });
    expect(text).toMatch(/^interrupted {2}agent-down-volume-scheduled: 1 of 3 checks valid/);
    expect(text).toContain('one-leader (invalid)');
    expect(text).not.toContain('unknown');
    expect(text).toContain('interrupted at +3.000 s: Somebody stopped it.');
    expect(text).toMatch(/\nno verdict$/);
  });

  it('says so when nothing was run', () => {
    expect(summary([])).toMatch(/No scenario/);
  });
});
