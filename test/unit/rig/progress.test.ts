import { describe, expect, it } from '@jest/globals';
import { announced, concluded } from '../../../src/rig/progress.ts';
import type { Step } from '../../../src/rig/scenario.ts';

const ready = (volume: string): Step => ({ await: { volume, state: 'ready', on: 'node2' }, withinMs: 5_000 });
const met = {
  type: 'expectation',
  what: 'it holds',
  outcome: 'met',
  seen: 'it',
  boundMs: 500,
  measuredMs: 310,
} as const;

describe('what is told of a step', () => {
  it('is before it that something is awaited, where that is not done yet', () => {
    expect(announced(ready('a'))).toBe('awaiting: volume a is ready on node2');
    expect(announced({ together: [ready('a'), { fault: 'kill', target: 'node1' }] })).toMatch(/^awaiting: /);
    expect(announced({ fault: 'kill', target: 'node1' })).toBe('kill node1');
    expect(announced({ hold: 10, why: 'it lasts' })).toBe('it lasts (10 ms)');
  });

  it('is after it whether that came, and when', () => {
    expect(concluded([])).toBeUndefined();
    expect(concluded([met])).toBe('met after 0.3 s');
    expect(concluded([met, met])).toBe('all 2 met');
  });

  it('is what did not come, came too late, or could not be seen', () => {
    const late = { ...met, measuredMs: 700 };
    expect(concluded([late])).toBe('MISSED after 0.7 s: it holds; last seen: it');
    expect(concluded([met, { ...met, outcome: 'missed' }])).toMatch(/^1 of 2 MISSED after 0.3 s: it holds/);
    expect(concluded([{ ...met, outcome: 'unseen' }])).toMatch(/^unseen after/);
  });
});
