import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { backoffMs, waitFor } from '../../../src/base/retry.ts';

describe('waiting for a condition', () => {
  const clock = createSystemClock();

  it('answers with what the probe found', async () => {
    let looks = 0;
    const probe = async (): Promise<string | undefined> => {
      looks += 1;
      return looks === 3 ? 'there' : undefined;
    };
    expect(await waitFor({ clock, what: 'it', timeoutMs: 1_000, intervalMs: 1, probe })).toBe('there');
  });

  it('says what was last seen when the time is up', async () => {
    const waiting = waitFor({
      clock,
      what: 'the door to open',
      timeoutMs: 10,
      intervalMs: 1,
      probe: async () => undefined,
      describe: () => 'shut',
    });
    await expect(waiting).rejects.toThrow('waited 10 ms for the door to open; last seen: shut');
  });

  it('takes a failing probe for not yet, and tells its error', async () => {
    const waiting = waitFor({
      clock,
      what: 'it',
      timeoutMs: 5,
      intervalMs: 1,
      probe: async () => {
        throw new Error('no route');
      },
    });
    await expect(waiting).rejects.toThrow('no route');
  });

  it('gives up when told to', async () => {
    const signal = AbortSignal.abort();
    const waiting = waitFor({ clock, what: 'it', timeoutMs: 60_000, signal, probe: async () => undefined });
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('backoff', () => {
  it('doubles up to its cap, with jitter over the upper half', () => {
    const random = createSeededRandom(1);
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const ceilingMs = Math.min(1_000, 50 * 2 ** attempt);
      const waitedMs = backoffMs({ random, attempt, baseMs: 50, capMs: 1_000 });
      expect(waitedMs).toBeGreaterThanOrEqual(ceilingMs / 2);
      expect(waitedMs).toBeLessThanOrEqual(ceilingMs);
    }
  });
});
