// One rig at a time at a cluster.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../src/base/clock.ts';
import { lockFolder } from '../../../src/cli/folder-lock.ts';

let folder: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-lock-'));
  nowMs = 0;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Goes on whenever somebody waits; `onSleep` happens meanwhile. */
const clockThat = (onSleep: () => void): Clock =>
  ({
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
      onSleep();
    },
  }) as unknown as Clock;

const { signal } = new AbortController();

describe('the lock of a folder', () => {
  it('is given back, and had by the next who waits for it', async () => {
    const first = await lockFolder({ folder, clock: clockThat(() => undefined), signal });
    const clock = clockThat(() => first[Symbol.dispose]());
    {
      using _second = await lockFolder({ folder, clock, signal });
      expect(existsSync(join(folder, 'by-hand.lock'))).toBe(true);
    }
    expect(existsSync(join(folder, 'by-hand.lock'))).toBe(false);
  });

  it('is taken from a process that is dead', async () => {
    // No process has a number as large as that.
    writeFileSync(join(folder, 'by-hand.lock'), '99999999');
    using _lock = await lockFolder({ folder, clock: clockThat(() => undefined), signal });
    expect(nowMs).toBeLessThan(1_000);
  });

  it('names who has it when it is not given back', async () => {
    writeFileSync(join(folder, 'by-hand.lock'), String(process.pid));
    await expect(lockFolder({ folder, clock: clockThat(() => undefined), signal })).rejects.toThrow(
      `process ${process.pid} is at it`,
    );
  });

  it('is refused at once where nobody can write', async () => {
    const clock = clockThat(() => undefined);
    await expect(lockFolder({ folder: '/proc', clock, signal })).rejects.toThrow(
      'cannot write /proc/by-hand.lock',
    );
    expect(nowMs).toBe(0);
  });
});
