import { describe, expect, it } from '@jest/globals';
import { distribution, median, quantile } from '../../../src/cli/distribution.ts';

describe('a distribution', () => {
  it.each([
    [[3], 3],
    [[4, 1], 2.5],
    [[9, 1, 2], 2],
  ])('of %j has the median %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('has quantiles that are values of its own, whatever their order', () => {
    const values = Array.from({ length: 20 }, (_, index) => 20 - index);
    expect(quantile(values, 0.95)).toBe(19);
    expect(quantile(values, 1)).toBe(20);
    expect(quantile(values, 0)).toBe(1);
  });

  it('says how many there were', () => {
    expect(distribution([10, 12, 30])).toBe('median 12 ms, p95 30, worst 30 (3 times)');
  });
});
