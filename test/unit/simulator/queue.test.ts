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

it('keeps the order of what comes while time passes, however far off it is', () => {
  const random = createSeededRandom(2);
  const queue = createQueue();
  const FAR_MS = [1, 20, 1_000, 40_000, 86_400_000];
  const due = new Map<number, number>();
  const seen: { dueMs: number; place: number }[] = [];
  let place = 0;
  const add = (): void => {
    const own = place;
    place += 1;
    // Of eighths, so that sums are exact, and some are due at the same moment.
    const ms = below(random, 8 * (FAR_MS[below(random, FAR_MS.length)] ?? 1)) / 8;
    const cancel = queue.after(ms, () => {
      seen.push({ dueMs: queue.nowMs, place: own });
      if (place < 2_000) for (let count = 0; count < 3; count += 1) add();
    });
    if (below(random, 3) === 0) cancel();
    else due.set(own, queue.nowMs + ms);
  };
  for (let count = 0; count < 20; count += 1) add();
  for (let next = queue.take(); next !== undefined; next = queue.take()) next();
  expect(seen.length).toBe(due.size);
  expect(seen).toEqual([...seen].sort((a, b) => a.dueMs - b.dueMs || a.place - b.place));
  for (const { dueMs, place: own } of seen) expect(dueMs).toBe(due.get(own));
});

it('has nothing left when all that was to come is cancelled', () => {
  const queue = createQueue();
  for (const ms of [0, 5, 100, 1_000_000]) queue.after(ms, () => undefined)();
  expect(queue.take()).toBeUndefined();
  expect(queue.nowMs).toBe(0);
});

it('never goes back', () => {
  const queue = createQueue();
  queue.after(10, () => queue.after(-5, () => undefined));
  queue.take()?.();
  queue.take();
  expect(queue.nowMs).toBe(10);
});
