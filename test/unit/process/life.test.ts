import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { beginLife } from '../../../src/process/life.ts';

const clock = createSystemClock();

/** Sleeps twice; tells how far it has come. */
function work(life: ReturnType<typeof beginLife>) {
  const steps: string[] = [];
  const done = life.work(async (sleep) => {
    steps.push('begun');
    await sleep(1);
    steps.push('half');
    await sleep(1);
    steps.push('done');
  });
  done.catch(() => undefined);
  return { steps, done };
}

it('does what it is asked to', async () => {
  const { steps, done } = work(beginLife(clock, 'node1'));
  await done;
  expect(steps).toEqual(['begun', 'half', 'done']);
});

it('waits while it is frozen, and goes on', async () => {
  const life = beginLife(clock, 'node1');
  life.freeze();
  const { steps, done } = work(life);
  await clock.sleep(20);
  expect(steps).toEqual([]);
  life.thaw();
  await done;
  expect(steps).toEqual(['begun', 'half', 'done']);
});

it('is not gone on with after its end, frozen or not', async () => {
  const life = beginLife(clock, 'node1');
  const { steps, done } = work(life);
  await clock.sleep(0);
  life.freeze();
  life.end();
  await expect(done).rejects.toMatchObject({ code: 'unavailable', message: 'node1 has ended' });
  await clock.sleep(20);
  expect(steps).toEqual(['begun']);
});
