import { expect, it } from '@jest/globals';
import { type Failures, observeFailures } from '../../../../src/daemon/engine/failures.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { ID, readyVolume } from '../../model/volumes.ts';

const observe = (known: Failures, volume: Volume, at: { modRevision: number; nowMs: number }): Failures =>
  observeFailures(known, {
    state: { volumes: [volume], nodes: [], specs: new Map() },
    entries: new Map([
      [
        volumeKey(volume.id),
        {
          key: volumeKey(volume.id),
          value: '',
          createRevision: 1,
          modRevision: at.modRevision,
          version: 1,
          lease: '0',
        },
      ],
    ]),
    nowMs: at.nowMs,
  });

it('counts a failure from when it was first seen, and another failure anew', () => {
  const broken = readyVolume({ state: 'error' });
  const first = observe(new Map(), broken, { modRevision: 5, nowMs: 100 });
  expect(first.get(ID)).toEqual({ modRevision: 5, seenMs: 100 });
  const later = observe(first, broken, { modRevision: 5, nowMs: 900 });
  expect(later.get(ID)).toEqual({ modRevision: 5, seenMs: 100 });
  const another = observe(later, broken, { modRevision: 8, nowMs: 1000 });
  expect(another.get(ID)).toEqual({ modRevision: 8, seenMs: 1000 });
});

it('keeps nothing of a volume that is not in error any more', () => {
  const known = new Map([[ID, { modRevision: 5, seenMs: 100 }]]);
  expect(observe(known, readyVolume(), { modRevision: 6, nowMs: 200 }).size).toBe(0);
});
