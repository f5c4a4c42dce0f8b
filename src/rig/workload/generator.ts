// What a client does next, as a pure function of what it knows and of chance.
// Generators are made of generators, as in Jepsen: each answer brings along
// what is left to do after it.

import { byWeight } from '../../base/choose.ts';
import type { Random } from '../../base/random.ts';

export type Next<Knowledge, Call> =
  | { readonly call: Call; readonly rest: Generator<Knowledge, Call> }
  /** Nothing can be done now: ask again when more is known. */
  | 'wait'
  /** There is nothing left to do. */
  | 'done';

export type Generator<Knowledge, Call> = (knowledge: Knowledge, random: Random) => Next<Knowledge, Call>;

/** Without end; waits where `draw` finds nothing to do. */
export function always<Knowledge, Call>(
  draw: (knowledge: Knowledge, random: Random) => Call | undefined,
): Generator<Knowledge, Call> {
  const again: Generator<Knowledge, Call> = (knowledge, random) => {
    const call = draw(knowledge, random);
    return call === undefined ? 'wait' : { call, rest: again };
  };
  return again;
}

/** Done as soon as what is known says so. */
export function until<Knowledge, Call>(
  isOver: (knowledge: Knowledge) => boolean,
  generator: Generator<Knowledge, Call>,
): Generator<Knowledge, Call> {
  return (knowledge, random) => {
    const next = isOver(knowledge) ? 'done' : generator(knowledge, random);
    return typeof next === 'string' ? next : { ...next, rest: until(isOver, next.rest) };
  };
}

/** At most so many calls of it. */
export function limited<Knowledge, Call>(
  calls: number,
  generator: Generator<Knowledge, Call>,
): Generator<Knowledge, Call> {
  return (knowledge, random) => {
    const next = calls <= 0 ? 'done' : generator(knowledge, random);
    return typeof next === 'string' ? next : { ...next, rest: limited(calls - 1, next.rest) };
  };
}

/** One after the other, each until it is done. */
export function inTurn<Knowledge, Call>(
  generators: readonly Generator<Knowledge, Call>[],
): Generator<Knowledge, Call> {
  return (knowledge, random) => {
    for (const [index, generator] of generators.entries()) {
      const next = generator(knowledge, random);
      if (next === 'done') continue;
      if (next === 'wait') return 'wait';
      return { call: next.call, rest: inTurn([next.rest, ...generators.slice(index + 1)]) };
    }
    return 'done';
  };
}

export interface Weighted<Knowledge, Call> {
  /** Not negative. */
  readonly weight: number;
  readonly generator: Generator<Knowledge, Call>;
}

/** One of them by chance, as its weight says; those that have nothing to do are passed over. */
export function mixed<Knowledge, Call>(
  parts: readonly Weighted<Knowledge, Call>[],
): Generator<Knowledge, Call> {
  return (knowledge, random) => {
    const weights = parts.map(({ weight }) => weight);
    let waiting = false;
    for (let drawn = byWeight(weights, random); drawn !== undefined; drawn = byWeight(weights, random)) {
      const index = drawn;
      const next = parts[index]?.generator(knowledge, random) ?? 'done';
      if (typeof next !== 'string') {
        const left = parts.map((part, at) => (at === index ? { ...part, generator: next.rest } : part));
        return { call: next.call, rest: mixed(left) };
      }
      waiting ||= next === 'wait';
      weights[index] = 0;
    }
    return waiting ? 'wait' : 'done';
  };
}
