import { describe, expect, it } from '@jest/globals';
import { createTrashWatch } from '../../../src/storage/trash.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function setUp() {
  let wallMs = Date.UTC(2026, 0, 1);
  let monotonicMs = 0;
  const never = (): never => {
    throw new Error('not used');
  };
  const watch = createTrashWatch<string>({
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    sleep: never,
    after: never,
  });
  return {
    watch,
    wallNowMs: () => wallMs,
    jump: (ms: number) => {
      wallMs += ms;
    },
    pass: (ms: number) => {
      wallMs += ms;
      monotonicMs += ms;
    },
  };
}

describe('what may go from the trash', () => {
  it('is not what a wall clock that jumped ahead makes look old', () => {
    const { watch, wallNowMs, jump, pass } = setUp();
    const entries = [{ key: 'a', trashedAtMs: wallNowMs() }];
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual([]);
    jump(30 * DAY_MS);
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual([]);
    pass(HOUR_MS - 1);
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual([]);
    pass(1);
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual(['a']);
  });

  it('is what was old when this process began, once the process has seen it for an hour', () => {
    const { watch, wallNowMs, pass } = setUp();
    const entries = [{ key: 'a', trashedAtMs: wallNowMs() - 2 * DAY_MS }];
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual([]);
    pass(HOUR_MS);
    entries.push({ key: 'b', trashedAtMs: 0 });
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual(['a']);
  });

  it('is not what has been there for less than the retention, however long it was seen', () => {
    const { watch, wallNowMs, pass } = setUp();
    const entries = [{ key: 'a', trashedAtMs: wallNowMs() }];
    watch.due(entries, { olderThanMs: DAY_MS });
    pass(DAY_MS - 1);
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual([]);
    pass(1);
    expect(watch.due(entries, { olderThanMs: DAY_MS })).toEqual(['a']);
  });

  it('is everything at once when nothing is to be kept', () => {
    const { watch, wallNowMs } = setUp();
    expect(watch.due([{ key: 'a', trashedAtMs: wallNowMs() }], { olderThanMs: 0 })).toEqual(['a']);
  });

  it('is forgotten when it has gone, so that its name begins anew', () => {
    const { watch, pass } = setUp();
    const entries = [{ key: 'a', trashedAtMs: 0 }];
    watch.due(entries, { olderThanMs: 1000 });
    pass(1000);
    watch.due([], { olderThanMs: 1000 });
    expect(watch.due(entries, { olderThanMs: 1000 })).toEqual([]);
  });
});
