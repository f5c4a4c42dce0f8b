import { describe, expect, it } from '@jest/globals';
import { fewer, reduce, withoutParts } from '../../../../src/rig/shrink/reduce.ts';

/** What is left of the list, and how many were tried, where those fail that have all of the culprits. */
async function reduced(all: readonly number[], culprits: readonly number[]) {
  let tried = 0;
  const left = await reduce(all, {
    passes: [withoutParts],
    firstFailing: async (candidates) => {
      const found = candidates.findIndex((some) => culprits.every((one) => some.includes(one)));
      tried += found < 0 ? candidates.length : found + 1;
      return candidates[found];
    },
  });
  return { left, tried };
}

describe('reduce', () => {
  const all = Array.from({ length: 64 }, (_, index) => index);

  it.each([[[]], [[17]], [[0, 63]], [[3, 4, 40]]])('leaves of 64 exactly %j', async (culprits) => {
    const { left, tried } = await reduced(all, culprits);
    expect(left).toEqual(culprits);
    expect(tried).toBeLessThan(160);
  });

  it('goes through all passes again until none makes it any smaller', async () => {
    // The second number can only shrink once the first is small.
    const fails = ([a, b]: readonly [number, number]): boolean => a >= 1 && (b >= 5 || a <= 2) && b >= 1;
    const smallest = await reduce([9, 9] as readonly [number, number], {
      passes: [
        ([a, b]) => fewer(b, 0).map((less) => [a, less]),
        ([a, b]) => fewer(a, 0).map((less) => [less, b]),
      ],
      firstFailing: async (candidates) => candidates.find(fails),
    });
    expect(smallest).toEqual([1, 1]);
  });
});
