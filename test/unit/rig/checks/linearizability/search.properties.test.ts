// Histories by chance: those of an object that really ran, with their ends drawn
// apart, and the same with another answer, held against the definition.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { culpritOf } from '../../../../../src/rig/checks/linearizability/culprit.ts';
import { search, type Timed } from '../../../../../src/rig/checks/linearizability/search.ts';
import { cas, hasOrder, type RegisterOp, read, register, span, write } from './objects.ts';

const value = fc.integer({ min: 0, max: 3 });

const asked = fc.oneof(
  value.map((to) => ({ kind: 'write', to }) as const),
  fc.constant({ kind: 'read' } as const),
  fc.tuple(value, value).map(([from, to]) => ({ kind: 'cas', from, to }) as const),
);

interface Drawn {
  readonly ask: { kind: 'write'; to: number } | { kind: 'read' } | { kind: 'cas'; from: number; to: number };
  readonly before: number;
  readonly after: number;
  readonly fate: 'known' | 'happened' | 'lost';
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  ask: asked,
  before: fc.integer({ min: 0, max: 40 }),
  after: fc.integer({ min: 1, max: 40 }),
  fate: fc.constantFrom('known', 'known', 'known', 'happened', 'lost'),
});

/** Each takes effect at ten times its index, begins up to 40 before, and ends up to 40 after. */
function played(all: readonly Drawn[]): readonly Timed<RegisterOp>[] {
  let state = 0;
  return all.map(({ ask, before, after, fate }, index) => {
    // No two ends coincide.
    const atMoment = index * 10;
    const invokedAt = atMoment - before - index / 1000 - 0.1;
    const completedAt = atMoment + after + index / 1000 + 0.1;
    const isKnown = fate === 'known' || ask.kind === 'read';
    const was = state;
    if (isKnown || fate === 'happened') {
      if (ask.kind === 'write') state = ask.to;
      if (ask.kind === 'cas' && was === ask.from) state = ask.to;
    }
    const op =
      ask.kind === 'read'
        ? read(was)
        : ask.kind === 'write'
          ? write(ask.to)
          : cas(ask.from, ask.to, isKnown ? was === ask.from : undefined);
    return span(invokedAt, isKnown ? completedAt : undefined, op);
  });
}

/** The history in which one of the answers is another. */
function mutated(history: readonly Timed<RegisterOp>[], at: number, seen: number) {
  return history.map((timed, index) => {
    if (index !== at % history.length) return timed;
    if (timed.op.kind === 'read') return { ...timed, op: read(seen) };
    return timed.op.kind === 'cas' && timed.op.done !== undefined
      ? { ...timed, op: cas(timed.op.from, timed.op.to, !timed.op.done) }
      : timed;
  });
}

describe('search, of histories by chance', () => {
  it('accepts whatever really happened', () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 40 }), (all) => {
        expect(search(played(all), register).kind).toBe('linearizable');
      }),
    );
  });

  it('rejects another answer exactly when the definition does', () => {
    let rejected = 0;
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 2, maxLength: 6 }), fc.nat(), value, (all, at, seen) => {
        const history = mutated(played(all), at, seen);
        const isGood = hasOrder(history, register);
        if (!isGood) rejected += 1;
        expect(search(history, register).kind).toBe(isGood ? 'linearizable' : 'not');
      }),
      { numRuns: 1000 },
    );
    // Else nothing was tried.
    expect(rejected).toBeGreaterThan(50);
  });

  it('shows a part of the history that is wrong by itself, and none that ended later', () => {
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 2, maxLength: 6 }), fc.nat(), value, (all, at, seen) => {
        const history = mutated(played(all), at, seen);
        fc.pre(!hasOrder(history, register));
        const { last, others } = culpritOf(history, register);
        const shown = new Set([last, ...others].map(({ invokedAt }) => invokedAt));
        const open = (timed: Timed<RegisterOp>) => ({ ...timed, completedAt: Number.POSITIVE_INFINITY });
        const known = history.filter(({ invokedAt }) => invokedAt < last.completedAt);
        const part = known.map((timed) => (shown.has(timed.invokedAt) ? timed : open(timed)));
        expect(hasOrder(part, register)).toBe(false);
        const before = known.map((timed) => (timed.completedAt < last.completedAt ? timed : open(timed)));
        expect(hasOrder(before, register)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
