import { describe, expect, it } from '@jest/globals';
import { below, createSeededRandom, hex } from '../../../src/base/random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () => random.uint32());
};

describe('seeded randomness', () => {
  it('repeats itself for one seed, and differs for neighbours', () => {
    expect(draw(7, 20)).toEqual(draw(7, 20));
    expect(draw(7, 20)).not.toEqual(draw(8, 20));
  });

  it('draws 32-bit integers that use all their bits', () => {
    const drawn = draw(1, 1_000);
    expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    for (let bit = 0; bit < 32; bit += 1) {
      const ones = drawn.filter((value) => (value >>> bit) & 1).length;
      // 1,000 fair coins: six standard deviations are 95.
      expect(Math.abs(ones - 500)).toBeLessThan(95);
    }
  });

  it('stays below the limit, and reaches all of it', () => {
    const random = createSeededRandom(3);
    const seen = new Set(Array.from({ length: 500 }, () => below(random, 7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('makes hexadecimal digits', () => {
    expect(hex(createSeededRandom(1), 16)).toMatch(/^[0-9a-f]{16}$/);
  });
});
