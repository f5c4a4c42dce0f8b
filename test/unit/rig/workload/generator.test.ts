import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import {
  always,
  type Generator,
  inTurn,
  limited,
  mixed,
  until,
} from '../../../../src/rig/workload/generator.ts';

type Letters = Generator<number, string>;

const letter = (text: string): Letters => always(() => text);
const never: Letters = always<number, string>(() => undefined);

/** What comes of so many draws; `known` counts them. */
function played(generator: Letters, draws: number, seed = 1): string {
  const random = createSeededRandom(seed);
  let left = generator;
  let text = '';
  for (let known = 0; known < draws; known += 1) {
    const next = left(known, random);
    if (next === 'done') return `${text}.`;
    if (next === 'wait') text += '_';
    else {
      text += next.call;
      left = next.rest;
    }
  }
  return text;
}

describe('generators', () => {
  it('go on without end, or wait while there is nothing to do', () => {
    expect(played(letter('a'), 4)).toBe('aaaa');
    expect(played(never, 3)).toBe('___');
    expect(
      played(
        always((known) => (known < 2 ? undefined : 'a')),
        4,
      ),
    ).toBe('__aa');
  });

  it('end after so many calls, or when what is known says so', () => {
    expect(played(limited(2, letter('a')), 5)).toBe('aa.');
    expect(
      played(
        until((known) => known >= 3, letter('a')),
        5,
      ),
    ).toBe('aaa.');
  });

  it('follow each other, and wait rather than to overtake', () => {
    expect(played(inTurn([limited(1, letter('a')), limited(2, letter('b'))]), 5)).toBe('abb.');
    expect(played(inTurn([never, letter('b')]), 3)).toBe('___');
  });

  it('are drawn as often as they weigh', () => {
    const text = played(
      mixed([
        { weight: 3, generator: letter('a') },
        { weight: 1, generator: letter('b') },
        { weight: 0, generator: letter('c') },
      ]),
      4_000,
    );
    const counts = ['a', 'b', 'c'].map((one) => text.split(one).length - 1);
    expect(counts[0]).toBeGreaterThan(2_800);
    expect(counts[1]).toBeGreaterThan(850);
    expect(counts[2]).toBe(0);
  });

  it('pass over those that wait and those that are done, and end with the last', () => {
    const heavy = { weight: 1_000, generator: never };
    expect(played(mixed([heavy, { weight: 1, generator: letter('b') }]), 3)).toBe('bbb');
    expect(played(mixed([heavy, { weight: 1, generator: limited(1, letter('b')) }]), 3)).toBe('b__');
    expect(played(mixed([{ weight: 1, generator: limited(2, letter('b')) }]), 5)).toBe('bb.');
    expect(played(mixed([]), 5)).toBe('.');
  });

  it('give the same for the same seed, and are not used up', () => {
    const generator = mixed([
      { weight: 1, generator: limited(9, letter('a')) },
      { weight: 1, generator: letter('b') },
    ]);
    expect(played(generator, 50, 7)).toBe(played(generator, 50, 7));
    expect(played(generator, 50, 7)).not.toBe(played(generator, 50, 8));
  });
});
