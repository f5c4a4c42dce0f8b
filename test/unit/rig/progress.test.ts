import { describe, expect, it } from '@jest/globals';
import { createWorkClock } from '../../../src/rig/checks/work-clock.ts';
import type { ExpectationEvent } from '../../../src/rig/history.ts';
import { announced, concluded } from '../../../src/rig/progress.ts';
import type { Step } from '../../../src/rig/scenario.ts';
import { QUIET } from '../../support/site.ts';

const ready = (volume: string): Step => ({ await: { volume, state: 'ready', on: 'node2' }, withinMs: 5_000 });
const met = {
  type: 'expectation',
  atMs: 5_000,
  what: 'it holds',
  outcome: 'met',
  seen: 'it',
  boundMs: 500,
  measuredMs: 310,
} as const;
const told = (expected: readonly ExpectationEvent[], runnable = 1) =>
  concluded(expected, createWorkClock([{ ...QUIET, runnable }]));

describe('what is told of a step', () => {
  it('is before it that something is awaited, where that is not done yet', () => {
    expect(announced(ready('a'))).toBe('awaiting: volume a is ready on node2');
    expect(announced({ together: [ready('a'), { fault: 'kill', target: 'node1' }] })).toMatch(/^awaiting: /);
    expect(announced({ fault: 'kill', target: 'node1' })).toBe('kill node1');
    expect(announced({ hold: 10, why: 'it lasts' })).toBe('it lasts (10 ms)');
  });

  it('is after it whether that came, and when', () => {
    expect(told([])).toBeUndefined();
    expect(told([met])).toBe('met after 0.3 s');
    expect(told([met, met])).toBe('all 2 met');
  });

  it('is what did not come, came too late, or could not be seen', () => {
    const late = { ...met, measuredMs: 700 };
    expect(told([late])).toBe('MISSED after 0.7 s: it holds; last seen: it');
    expect(told([late], 2)).toBe('met after 0.7 s');
    expect(told([{ ...late, outcome: 'missed' }], 2)).toMatch(/^unseen after/);
    expect(told([met, { ...met, outcome: 'missed' }])).toMatch(/^1 of 2 MISSED after 0.3 s: it holds/);
    expect(told([{ ...met, outcome: 'unseen' }])).toMatch(/^unseen after/);
  });
});
