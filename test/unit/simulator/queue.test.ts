import { expect, it } from '@jest/globals';
import { below, createSeededRandom } from '../../../src/base/random.ts';
import { createQueue } from '../../../src/simulator/queue.ts';

it('gives everything by its time, and by its coming where that is the same, but for what was cancelled', () => {
  const random = createSeededRandom(1);
  const queue = createQueue();
  const seen: { dueMs: number; place: number }[] = [];
  const wanted: { dueMs: number; place: number }[] = [];
  for (let place = 0; place < 500; place += 1) {
    const dueMs = below(random, 50);
    const cancel = queue.after(dueMs, () => {
      expect(queue.nowMs).toBe(dueMs);
      seen.push({ dueMs, place });
    });
    if (below(random, 4) === 0) cancel();
    else wanted.push({ dueMs, place });
  }
  for (let next = queue.take(); next !== undefined; next = queue.take()) next();
  expect(seen).toEqual(wanted.sort((a, b) => a.dueMs - b.dueMs || a.place - b.place));
  expect(queue.taken).toBe(wanted.length);
});

it('gives the rest in order when most of what was to come is cancelled, in the course of it', () => {
  const random = createSeededRandom(2);
  const queue = createQueue();
  const seen: number[] = [];
  const wanted: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const cancels = Array.from({ length: 300 }, () =>
      queue.after(1_000 + below(random, 50), () => seen.push(-1)),
    );
    const dueMs = below(random, 50);
    wanted.push(queue.nowMs + dueMs);
    queue.after(dueMs, () => seen.push(queue.nowMs));
    for (const cancel of cancels) cancel();
    queue.take()?.();
    // Twice, and of what has come, it says nothing about others.
    for (const cancel of cancels) cancel();
  }
  expect(queue.take()).toBeUndefined();
  expect(seen).toEqual(wanted);
  expect(queue.taken).toBe(20);
});

it('never goes back', () => {
  const queue = createQueue();
  queue.after(10, () => queue.after(-5, () => undefined));
  queue.take()?.();
  queue.take();
  expect(queue.nowMs).toBe(10);
});
