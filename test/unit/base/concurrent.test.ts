import { describe, expect, it } from '@jest/globals';
import { mapConcurrently } from '../../../src/base/concurrent.ts';

describe('mapConcurrently', () => {
  it('does several at a time, never more, and keeps the order', async () => {
    let running = 0;
    let most = 0;
    const each = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < 10 - item; turn += 1) await Promise.resolve();
      running -= 1;
      return item * 2;
    };
    expect(await mapConcurrently([1, 2, 3, 4, 5, 6, 7], { concurrency: 3, each })).toEqual([
      2, 4, 6, 8, 10, 12, 14,
    ]);
    expect(most).toBe(3);
    expect(await mapConcurrently([], { concurrency: 3, each })).toEqual([]);
  });

  it('begins nothing new after a failure, and rejects when all that was begun has ended', async () => {
    const ended: number[] = [];
    const each = async (item: number): Promise<void> => {
      if (item === 1) throw new Error('one');
      await Promise.resolve();
      ended.push(item);
    };
    await expect(mapConcurrently([0, 1, 2, 3, 4], { concurrency: 2, each })).rejects.toThrow('one');
    expect(ended).toEqual([0]);
  });
});
