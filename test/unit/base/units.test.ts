import { describe, expect, it } from '@jest/globals';
import { gibToBytes, reservedGib } from '../../../src/base/units.ts';

const shown = (...sizes: readonly number[]): number =>
  reservedGib({ bytes: sizes.map(gibToBytes).reduce((sum, bytes) => sum + bytes, 0), count: sizes.length });

describe('reservations as people read them', () => {
  it('are what was asked for, though whole blocks were reserved', () => {
    expect(shown(0.1)).toBe(0.1);
    expect(shown(0.1, 1.25)).toBe(1.35);
    expect(shown(...Array.from({ length: 30 }, () => 0.1))).toBe(3);
    expect(shown(1 / 64)).toBe(1 / 64);
    expect(shown(1 / 64, 1 / 3)).toBeCloseTo(1 / 64 + 1 / 3, 5);
    expect(shown(...Array.from({ length: 300 }, () => 1 / 64))).toBe(300 / 64);
    expect(shown()).toBe(0);
  });

  it('are no less than what is reserved', () => {
    for (const gib of [0.1, 0.3, 1 / 3, 2.7, 1000.123456]) {
      expect(gibToBytes(shown(gib))).toBeGreaterThanOrEqual(gibToBytes(gib));
    }
  });
});
