import { describe, expect, it } from '@jest/globals';
import type { HistoryEvent } from '../../../src/rig/history.ts';
import type { Unstamped } from '../../../src/rig/journal.ts';
import { runnableIn, watchMachine } from '../../../src/rig/machine.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** What is recorded of a machine with these numbers of runnable tasks, one a look. */
async function watched(runnable: readonly (number | undefined)[], frozenMs = 0) {
  const clock = createManualClock();
  const recorded: Unstamped<HistoryEvent>[] = [];
  const left = [...runnable];
  const machine = { cores: 4, runnable: () => left.shift() };
  const record = (event: Unstamped<HistoryEvent>) => void recorded.push(event);
  const journal = { atMs: clock.monotonicMs, record };
  using _ = watchMachine({ clock, journal, machine });
  await clock.advance(250);
  clock.freeze(frozenMs);
  for (let look = 0; look < 20; look += 1) await clock.advance(50);
  return recorded;
}

describe('the machine', () => {
  it('is watched twice a second, and how busy it was is the mean of some looks', async () => {
    const recorded = await watched([2, 4, 6, 8, 10, 1, 1, 1, 1, 2]);
    expect(recorded).toEqual([
      { type: 'machine', overMs: 500, lateMs: 0, runnable: 6, cores: 4 },
      { type: 'machine', overMs: 500, lateMs: 0, runnable: 1.2, cores: 4 },
    ]);
  });

  it('is seen to have stood still by how late it is', async () => {
    expect((await watched([1, 1, 1, 1, 1], 3_000))[0]).toMatchObject({ overMs: 3_450, lateMs: 2_950 });
  });

  it('is not on record where it does not tell', async () => {
    expect(await watched([undefined])).toEqual([]);
  });

  it('tells how many tasks run or wait, unless nobody counts them', () => {
    expect(runnableIn('18.35 9.66 4.55 20/981 15270\n')).toBe(20);
    expect(runnableIn('0.00 0.00 0.00 0/0 0\n')).toBeUndefined();
    expect(runnableIn('')).toBeUndefined();
  });
});
