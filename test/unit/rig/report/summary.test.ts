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

describe('summary', () => {
  it('has a line a scenario', () => {
    expect(summary([good], { columns: 80 })).toBe(
      [
        'scenario        verdict   time  run',
        'export-created  valid    8.1 s  runs/1-export-created-7',
        '',
        '1 valid, 0 invalid, 0 unknown',
      ].join('\n'),
    );
  });

  it('says what is wrong first, then what is unknown, and how to do it again', () => {
    const text = summary([good, bad], { columns: 100 });
    expect(text.indexOf('one-leader (invalid)')).toBeLessThan(text.indexOf('logs (unknown)'));
    expect(text).toContain('    … and 1 more line\n');
    expect(text).toContain('npm run rig -- run agent-down-volume-scheduled --seed 7');
    expect(text).not.toContain('access');
    expect(text).toMatch(/1 valid, 1 invalid, 0 unknown$/);
  });

  it.each([40, 64, 80])('fits %i columns, but for folders and commands', (columns) => {
    const lines = summary([good, bad], { columns }).split('\n');
    const wide = lines.filter((line) => line.length > columns && !/runs\/|npm run/.test(line));
    expect(wide).toEqual([]);
  });

  it('says so when nothing was run', () => {
    expect(summary([])).toMatch(/No scenario/);
  });
});
