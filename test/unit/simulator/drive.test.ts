import { expect, it } from '@jest/globals';
import { watchForReal } from '../../../src/base/event-loop.ts';
import { drive } from '../../../src/simulator/drive.ts';
import { createProcess } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { LOOP } from './loop.ts';

it('lets an hour pass at once, and takes no event before all that follows from the last has run', async () => {
  const queue = createQueue();
  const { clock } = createProcess(queue);
  const seen: string[] = [];
  const answer = await drive(queue, LOOP, async () => {
    clock.after(3_600_000, () => seen.push('second'));
    await clock.sleep(3_600_000 - 1);
    for (let count = 0; count < 1_000; count += 1) await undefined;
    process.nextTick(() => seen.push('first'));
    await clock.sleep(2);
    return clock.monotonicMs();
  });
  expect(seen).toEqual(['first', 'second']);
  expect(answer).toBe(3_600_001);
});

it('fails where something real takes part', async () => {
  const queue = createQueue();
  const work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  const keepsGoing = (): void => void queue.after(1, keepsGoing);
  keepsGoing();
  await expect(drive(queue, { ...LOOP, watchForReal }, work)).rejects.toThrow(
    /something real took part in a simulation: Timeout/,
  );
});

it('fails where nothing is left to happen and the work is not done', async () => {
  await expect(drive(createQueue(), LOOP, () => new Promise<void>(() => undefined))).rejects.toThrow(
    /stands still/,
  );
});
