import { expect, it } from '@jest/globals';
import { tapped } from '../../../src/base/tapped.ts';

it('hears each item before whoever reads does, and says what a failure is passed on as', async () => {
  const seen: string[] = [];
  async function* source(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw new Error('broken');
  }
  const onFailure = (error: unknown): Error => new Error('passed on', { cause: error });
  const read = async (): Promise<void> => {
    for await (const item of tapped(source(), { onItem: (heard) => seen.push(`heard ${heard}`), onFailure }))
      seen.push(`read ${item}`);
  };
  await expect(read()).rejects.toMatchObject({ message: 'passed on', cause: { message: 'broken' } });
  expect(seen).toEqual(['heard 1', 'read 1', 'heard 2', 'read 2']);
});

it('tells the source when nobody reads any more', async () => {
  let isOver = false;
  async function* source(): AsyncGenerator<number> {
    try {
      for (;;) yield 1;
    } finally {
      isOver = true;
    }
  }
  for await (const _item of tapped(source(), { onFailure: (error) => error })) break;
  expect(isOver).toBe(true);
});
