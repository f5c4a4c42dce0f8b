import { describe, expect, it } from '@jest/globals';
import { type EventuallyOptions, eventually } from '../../../src/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** What comes of it when all the time that it may take has passed. */
async function inManualTime<T>(look: (ms: number) => T, options: EventuallyOptions<T> = {}): Promise<T> {
  const clock = createManualClock();
  const on = { now: clock.monotonicMs, sleep: (ms: number) => clock.sleep(ms) };
  const outcome = eventually(() => look(clock.monotonicMs()), { ...options, on });
  outcome.catch(() => undefined);
  await clock.advance(20_000);
  return outcome;
}

describe('eventually', () => {
  it('answers with the first value that is one', async () => {
    expect(await inManualTime((ms) => (ms < 300 ? null : `at ${ms}`), { intervalMs: 100 })).toBe('at 300');
  });

  it('counts 0 and an empty text as values', async () => {
    expect(await inManualTime(() => 0)).toBe(0);
    expect(await inManualTime(() => '')).toBe('');
  });

  it('goes by what it is told to wait for', async () => {
    expect(await inManualTime((ms) => ms, { until: (ms) => ms >= 5_000, intervalMs: 1_000 })).toBe(5_000);
  });

  it('says what it saw last when the time is up', async () => {
    const waiting = inManualTime((ms) => ({ ms }), {
      until: () => false,
      withinMs: 500,
      intervalMs: 250,
      what: 'the impossible',
    });
    await expect(waiting).rejects.toThrow('waited 500 ms for the impossible; last seen: {"ms":500}');
  });

  it('says what the last look has thrown', async () => {
    const waiting = inManualTime(
      (ms) => {
        expect(ms).toBe(-1);
      },
      { withinMs: 100 },
    );
    await expect(waiting).rejects.toThrow(/waited 100 ms .*; last seen: .*Expected: .*-1/s);
  });

  it('does not show a value of any length', async () => {
    const waiting = inManualTime(() => 'x'.repeat(10_000), { until: () => false });
    await expect(waiting).rejects.toThrow(/^.{1,700}…$/s);
  });
});
