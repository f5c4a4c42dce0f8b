// Randomness as a port, so that one seed can decide every choice of a run.

import { randomBytes } from 'node:crypto';

export interface Random {
  /** A uniformly distributed integer in [0, 2^32). */
  uint32(): number;
}

/** The operating system's randomness: for real clusters' ids and jitter. */
export function createSystemRandom(): Random {
  return { uint32: () => randomBytes(4).readUInt32LE() };
}

/**
 * A reproducible generator (sfc32, Chris Doty-Humphrey's PractRand), seeded
 * through splitmix32, so that neighbouring seeds give unrelated sequences.
 */
export function createSeededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) uint32();
  return { uint32 };
}

/** A uniform integer in [0, limit), without modulo bias. `limit` must be in [1, 2^32]. */
export function below(random: Random, limit: number): number {
  const fair = 2 ** 32 - (2 ** 32 % limit);
  let drawn = random.uint32();
  while (drawn >= fair) drawn = random.uint32();
  return drawn % limit;
}

/** `digits` lower-case hexadecimal digits. */
export function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0');
  return text.slice(0, digits);
}
