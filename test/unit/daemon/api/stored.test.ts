import { describe, expect, it } from '@jest/globals';
import { isIfMatch, matches } from '../../../../src/daemon/api/stored.ts';

describe('If-Match', () => {
  it.each([
    ['*', true],
    ['"12"', true],
    ['"12-ab"', true],
    [' "11" ,\t"12"', true],
    ['"a,b","12"', true],
    // RFC 9110, 5.6.1: who merges lists may leave empty ones, which are to be ignored.
    ['"12",', true],
    [', ,"11",,"12"', true],
    ['W/"12"', false],
    ['"11", ', false],
    ['"112"', false],
  ])('of %s is one', (text, holds) => {
    expect([isIfMatch(text), matches(text, 12)]).toEqual([true, holds]);
  });

  it.each(['', ',', '12', '"12', '"1 2"', '*, "12"', '"11" "12"', 'w/"12"', '"12"; q=1'])(
    'of %j is none',
    (text) => {
      expect(isIfMatch(text)).toBe(false);
    },
  );

  it('takes no longer for hostile ones than they are long', () => {
    const startedMs = performance.now();
    for (const part of [',', ' ', ', ', '"",', '"" ', 'W/"",'])
      expect(isIfMatch(`"",${part.repeat(50_000)}x`)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
