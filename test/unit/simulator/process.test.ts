import { expect, it } from '@jest/globals';
import { drive } from '../../../src/simulator/drive.ts';
import { createProcess, doneBy, heardBy } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { LOOP } from './loop.ts';

it('notices nothing while it is frozen, and all of it in order when it is thawed', async () => {
  const queue = createQueue();
  const rig = createProcess(queue);
  const process = createProcess(queue);
  const seen: string[] = [];
  await drive(queue, LOOP, async () => {
    process.clock.after(10, () => seen.push(`timer at ${queue.nowMs}`));
    process.freeze();
    process.enter(() => seen.push(`message at ${queue.nowMs}`));
    await rig.clock.sleep(100);
    expect(seen).toEqual([]);
    process.thaw();
    await rig.clock.sleep(1);
  });
  expect(seen).toEqual(['message at 100', 'timer at 100']);
});

it('does not run on when it is dead, whatever it waits for; whoever asked it hears that it ended', async () => {
  const queue = createQueue();
  const rig = createProcess(queue);
  const process = createProcess(queue);
  const seen: string[] = [];
  await drive(queue, LOOP, async () => {
    const asked = doneBy(process, async () => {
      await process.clock.sleep(10);
      seen.push('its timer rang');
    });
    asked.catch(() => undefined);
    void heardBy(process, rig.clock.sleep(10)).then(() => seen.push('it heard an answer'));
    await rig.clock.sleep(5);
    process.end();
    await rig.clock.sleep(100);
    await expect(asked).rejects.toMatchObject({ code: 'unavailable', definite: false });
  });
  expect(seen).toEqual([]);
});
