// Choices by chance.

import { below, type Random } from './random.ts';

/** One of them, each as likely; undefined of none. */
export const oneOf = <T>(all: readonly T[], random: Random): T | undefined =>
  all.length === 0 ? undefined : all[below(random, all.length)];

/** The index of one, as likely as its weight (not negative) says; undefined when all weigh nothing. */
export function byWeight(weights: readonly number[], random: Random): number | undefined {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return undefined;
  let left = (random.uint32() / 2 ** 32) * total;
  const found = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return found < 0 ? weights.findLastIndex((weight) => weight > 0) : found;
}

/** A whole number from `least` to `most`, both included. */
export const between = (least: number, most: number, random: Random): number =>
  least + below(random, most - least + 1);

/** True so many times of a hundred. */
export const inPercent = (percent: number, random: Random): boolean => below(random, 100) < percent;
