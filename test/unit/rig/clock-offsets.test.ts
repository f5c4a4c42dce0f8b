import { describe, expect, it } from '@jest/globals';
import { offsetMs, offsetText } from '../../../src/rig/clock/offsets.ts';
import { readingOf } from '../../../src/rig/clock/reading.ts';

describe('how far a clock is ahead', () => {
  const jumping = { condition: { is: 'jumping', spanMs: 1_000, seed: 7 }, sinceMs: 0 } as const;
  const drifting = { condition: { is: 'drifting', rate: 1.1 }, sinceMs: 10_000 } as const;

  it('is nothing without a condition, and the sum of several', () => {
    expect(offsetMs([], 5)).toBe(0);
    const ahead = { condition: { is: 'offset', offsetMs: 300 }, sinceMs: 0 } as const;
    const behind = { condition: { is: 'offset', offsetMs: -500 }, sinceMs: 0 } as const;
    expect(offsetMs([ahead, behind], 5)).toBe(-200);
  });

  it('grows from nothing when it drifts', () => {
    expect(offsetMs([drifting], 10_000)).toBe(0);
    expect(offsetMs([drifting], 70_000)).toBeCloseTo(6_000);
    expect(offsetMs([{ ...drifting, condition: { is: 'drifting', rate: 0.5 } }], 12_000)).toBeCloseTo(-1_000);
  });

  it('jumps twice a second, forth and back, never further than its span, and the same way again', () => {
    const jumps = Array.from({ length: 200 }, (_, index) => offsetMs([jumping], index * 500));
    expect(Math.min(...jumps)).toBeGreaterThanOrEqual(-1_000);
    expect(Math.min(...jumps)).toBeLessThan(-500);
    expect(Math.max(...jumps)).toBeLessThanOrEqual(1_000);
    expect(Math.max(...jumps)).toBeGreaterThan(500);
    expect(offsetMs([jumping], 499)).toBe(jumps[0]);
    expect(offsetMs([jumping], 500)).not.toBe(jumps[0]);
  });

  it('is told to libfaketime in seconds, with a sign', () => {
    expect(offsetText(0)).toBe('+0.000');
    expect(offsetText(1_250)).toBe('+1.250');
    expect(offsetText(-3_600_000)).toBe('-3600.000');
  });
});

describe('a clock that is read from outside', () => {
  const date = 'Thu, 01 Jan 1970 00:01:00 GMT';

  it('is known to the second and the time that the answer took', () => {
    expect(readingOf(date, { beforeMs: 50_000, afterMs: 50_040 })).toEqual({
      leastMs: 9_960,
      mostMs: 11_100,
    });
  });

  it('is not known without a date', () => {
    expect(() => readingOf(null, { beforeMs: 0, afterMs: 0 })).toThrow('without a date');
  });
});
