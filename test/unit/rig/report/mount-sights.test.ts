import { describe, expect, it } from '@jest/globals';
import type { CallEvent, HistoryEvent, MountEvent } from '../../../../src/rig/history.ts';
import { mountSights } from '../../../../src/rig/report/mount-sights.ts';
import { createHistory } from '../support/history.ts';

const VOLUME = 'v00000000000000a1';

/** Of an application: what it called and what came of it, and what the consumer did meanwhile. */
function sightsOf(history: readonly HistoryEvent[]): readonly string[] {
  return mountSights(createHistory().run({ history }));
}

let calls = 0;
/** Took so long; `error` where it failed. */
function call(
  atMs: number,
  { tookMs = 10, error, file = 'log' }: { tookMs?: number; error?: string; file?: string } = {},
): readonly CallEvent[] {
  calls += 1;
  const common = {
    type: 'call',
    call: calls,
    process: 'application',
    operation: {
      kind: 'nfs-read',
      consumer: 'consumer1',
      server: 'node1',
      volume: VOLUME,
      file,
      through: 'kernel',
    },
  } as const;
  return [
    { ...common, atMs, phase: 'invoke' },
    { ...common, atMs: atMs + tookMs, ...(error === undefined ? { phase: 'ok' } : { phase: 'fail', error }) },
  ];
}

const did = (atMs: number, what: MountEvent['did'], more: Partial<MountEvent> = {}): MountEvent => ({
  type: 'mount',
  atMs,
  consumer: 'consumer1',
  volume: VOLUME,
  did: what,
  server: null,
  ...more,
});

describe('what an application with an open file saw', () => {
  it('is told as errors, how long they kept it waiting, and what helped', () => {
    expect(
      sightsOf([
        ...call(1_000),
        ...call(2_000, { error: 'ESTALE: read: Stale file handle', tookMs: 40 }),
        ...call(2_100, { error: 'ESTALE: read: Stale file handle', file: 'first' }),
        did(2_300, 'unmounted', { why: 'told to remount' }),
        did(2_400, 'mounted', { why: 'told to remount', server: 'node2' }),
        ...call(2_500),
        ...call(2_600, { file: 'first', tookMs: 20 }),
        ...call(3_000),
      ]),
    ).toEqual([
      'application: ESTALE ×2 from +2.000 s on, none longer than 0.04 s; unmounted after 0.30 s (told to remount), mounted from node2 after 0.40 s, worked again after 0.62 s',
    ]);
  });

  it('is not over while one of its files still fails', () => {
    const [sight] = sightsOf([
      ...call(1_000, { error: 'EACCES: read: denied' }),
      ...call(1_100, { error: 'EACCES: read: denied', file: 'first' }),
      ...call(1_200),
    ]);
    expect(sight).toBe(
      'application: EACCES ×2 from +1.000 s on, none longer than 0.01 s; not to be used again',
    );
  });

  it('is told apart, error by error', () => {
    const [sight] = sightsOf([
      ...call(1_000, { error: 'EIO: read: Input/output error' }),
      ...call(1_100, { error: 'it is not mounted' }),
    ]);
    expect(sight).toMatch(/^application: EIO ×1, it is not mounted ×1 from /);
  });

  it('is nothing where no call failed, but for how long it waited', () => {
    expect(sightsOf([...call(1_000), ...call(2_000, { tookMs: 1_500 })])).toEqual([
      'application: none of 2 calls failed; none longer than 1.50 s',
    ]);
  });

  it('is unknown where there are no such mounts, and nobody asks where there was no application', () => {
    expect(sightsOf([did(0, 'unavailable', { error: 'no kernel' })])).toEqual([
      'consumer1 was not asked what an open file sees: no kernel',
    ]);
    expect(sightsOf([])).toEqual([]);
  });
});
