import { expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { momentToDie } from '../../../src/simulator/aim.ts';
import { drive } from '../../../src/simulator/drive.ts';
import { createProcess } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { LOOP } from './loop.ts';

/** When somebody who takes a step every 100 ms, each of 20 ms, is to die by an order of the moment 10. */
async function diesAtMs(seed: number, stepEveryMs = 100): Promise<number> {
  const queue = createQueue();
  const [rig, process] = [createProcess(queue), createProcess(queue)];
  return drive(queue, LOOP, async () => {
    const work = (): void => {
      process.step();
      process.clock.after(stepEveryMs, work);
    };
    process.clock.after(stepEveryMs, work);
    await rig.clock.sleep(10);
    await momentToDie({ clock: rig.clock, random: createSeededRandom(seed), processes: [process] });
    process.end();
    return rig.clock.monotonicMs();
  });
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

it('is at once, or in one of the next steps', async () => {
  const moments = await Promise.all(seeds.map((seed) => diesAtMs(seed)));
  const inSteps = moments.filter((ms) => ms >= 100 && ms % 100 <= 20);
  expect(moments.filter((ms) => ms === 10).length + inSteps.length).toBe(seeds.length);
  expect(inSteps.length).toBeGreaterThan(70);
  expect(new Set(inSteps.map((ms) => Math.floor(ms / 100)))).toEqual(new Set([1, 2, 3]));
});

it('is not long after where nothing is begun', async () => {
  for (const seed of seeds.slice(0, 20)) expect(await diesAtMs(seed, 10_000)).toBeLessThanOrEqual(310);
});
