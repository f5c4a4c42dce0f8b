import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createWires, type Message, type Wires } from '../../../src/hardware/wires.ts';
import type { LinkEffect } from '../../../src/rig/deployment.ts';
import { drive } from '../../../src/simulator/drive.ts';
import { createProcess } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { LOOP } from '../simulator/loop.ts';

const MESSAGE: Message = { from: 'a', to: 'b', bytes: 500 };

/** When the message has arrived, with this effect on its link for the first second. */
async function arrivalMs(effect: LinkEffect | undefined, message: Message = MESSAGE): Promise<number> {
  const queue = createQueue();
  const { clock } = createProcess(queue);
  const wires: Wires = createWires({ time: queue, random: createSeededRandom(1) });
  if (effect !== undefined) wires.set('fault', [{ from: 'a', to: 'b', effect }]);
  return drive(queue, LOOP, async () => {
    clock.after(1_000, () => wires.set('fault', []));
    await wires.carry(message, { over: false });
    return clock.monotonicMs();
  });
}

describe('a message', () => {
  it('takes a moment', async () => {
    expect(await arrivalMs(undefined)).toBeLessThan(2);
  });

  it('that is dropped arrives after the link is whole again, by a retransmission', async () => {
    expect(await arrivalMs({ does: 'drop' })).toBeGreaterThan(1_000);
  });

  it('goes the other way meanwhile', async () => {
    expect(await arrivalMs({ does: 'drop' }, { from: 'b', to: 'a', bytes: 500 })).toBeLessThan(2);
  });

  it('is as late as the link makes it, by its length where the bandwidth is limited', async () => {
    expect(await arrivalMs({ does: 'delay', delayMs: 300, jitterMs: 50 })).toBeGreaterThanOrEqual(250);
    const limited = await arrivalMs({ does: 'limit', kbitPerSecond: 100 }, { ...MESSAGE, bytes: 5_000 });
    expect(Math.floor(limited)).toBeGreaterThanOrEqual(400);
    expect(limited).toBeLessThan(402);
  });

  it('fails where connections are reset', async () => {
    await expect(arrivalMs({ does: 'reset' })).rejects.toMatchObject({
      code: 'unavailable',
      definite: false,
    });
  });

  it('of a half-open connection is lost only if it answers', async () => {
    expect(await arrivalMs({ does: 'mute' })).toBeLessThan(2);
    expect(await arrivalMs({ does: 'mute' }, { ...MESSAGE, opener: 'b', isEmpty: true })).toBeLessThan(2);
    expect(await arrivalMs({ does: 'mute' }, { ...MESSAGE, opener: 'b' })).toBeGreaterThan(1_000);
  });
});
