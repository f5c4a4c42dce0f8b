import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRanking } from '../../../../src/daemon/engine/ranking.ts';

const rooms = fc.array(
  fc.record({ freeBytes: fc.integer({ min: -3, max: 12 }), availableBytes: fc.nat(12) }),
  {
    maxLength: 12,
  },
);
const wishes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 6 }), except: fc.nat(12) }), {
  maxLength: 30,
});

const roomIn = ({ freeBytes, availableBytes }: { freeBytes: number; availableBytes: number }): number =>
  Math.min(freeBytes, availableBytes);

it('finds what a search through all would find, however much was taken meanwhile', () => {
  fc.assert(
    fc.property(rooms, wishes, (drafts, asked) => {
      const all = drafts.map((draft, index) => ({
        name: `n${String(index).padStart(2, '0')}`,
        labels: {},
        draining: false,
        disk: 'ok' as const,
        capacityBytes: 100,
        ...draft,
      }));
      const ranking = createRanking(all);
      expect(ranking.size).toBe(all.length);
      for (const { bytes, except } of asked) {
        const [best] = all
          .filter(({ freeBytes, availableBytes }) => freeBytes >= bytes && availableBytes >= bytes)
          .filter(({ name }) => name !== all[except]?.name)
          .sort((a, b) => roomIn(b) - roomIn(a) || (a.name < b.name ? -1 : 1));
        expect(ranking.find(bytes, all[except]?.name ?? null)?.name).toBe(best?.name);
        if (best !== undefined) best.freeBytes -= bytes;
      }
    }),
    { numRuns: 2000 },
  );
});
