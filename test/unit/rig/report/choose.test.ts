import { describe, expect, it } from '@jest/globals';
import { choose } from '../../../../src/rig/report/choose.ts';

const rows = [0, 10, 20, 30, 40, 50].map((atMs) => ({ atMs, bad: atMs === 10 }));
const rank = ({ bad }: { readonly bad: boolean }): number => (bad ? 1 : 0);
const times = (most: number, momentsMs: readonly number[]): readonly number[] =>
  choose(rows, { most, rank, momentsMs }).map(({ atMs }) => atMs);

describe('choose', () => {
  it('keeps everything where there is room', () => {
    expect(choose(rows, { most: 6, rank, momentsMs: [] })).toBe(rows);
  });

  it('keeps what has a higher rank, then what is nearest to a moment, in order', () => {
    expect(times(3, [40])).toEqual([10, 30, 40]);
    expect(times(4, [0, 50])).toEqual([0, 10, 40, 50]);
  });

  it('keeps the latest where nothing speaks of a moment', () => {
    expect(times(3, [])).toEqual([10, 40, 50]);
  });
});
