// Which copies may go, by what etcd says of their volume.

import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../../src/base/random.ts';
import { createCopyNames, newest } from '../../../../../src/daemon/agent/move/copy-names.ts';
import { judgeCopies } from '../../../../../src/daemon/agent/move/stale.ts';
import { volumeKey } from '../../../../../src/kv/keys.ts';
import { copyNameSchema } from '../../../../../src/model/names.ts';
import type { Volume } from '../../../../../src/model/volume.ts';
import { ID, readyVolume } from '../../../model/volumes.ts';

const COPY = { id: ID, name: '00000000000000aa-0' };
const to = (node: string, copy: string | null = null) => ({
  task: { kind: 'move', cause: 'drain', node, copy } as const,
});

function judge(
  volume: Volume | string | undefined,
  options: { onDisk?: boolean; suspectSinceMs?: number } = {},
) {
  const value = typeof volume === 'string' ? volume : JSON.stringify(volume);
  const kv = { key: volumeKey(ID), value, createRevision: 1, modRevision: 1, version: 1, lease: '0' };
  const { onDisk = false, suspectSinceMs = 0 } = options;
  return judgeCopies({
    self: 'a',
    kvs: volume === undefined ? [] : [kv],
    copies: [COPY],
    onDisk: onDisk ? [ID] : [],
    suspects: new Map([[`${ID}/${COPY.name}`, suspectSinceMs]]),
    nowMs: 1000,
    intervalMs: 1000,
  });
}

describe('a copy', () => {
  it.each([
    ['its volume is on its way from here', readyVolume({ state: 'moving' }, to('b'))],
    ['its volume is on its way to here', readyVolume({ state: 'moving', node: 'b' }, to('a'))],
    ['its volume is to be made from it', readyVolume({ state: 'moving' }, to('a', COPY.name))],
    ['what etcd says of its volume can not be read', 'nonsense'],
  ])('stays when %s', (_why, volume) => {
    const { due, suspects } = judge(volume);
    expect([...due, ...suspects]).toEqual([]);
  });

  it.each([
    ['its volume is gone', undefined],
    ['its volume is elsewhere', readyVolume({ node: 'b' })],
    ['its volume is on its way between others', readyVolume({ state: 'moving', node: 'b' }, to('c'))],
  ])('goes when %s, at the second listing', (_why, volume) => {
    expect(judge(volume).due).toEqual([{ copy: COPY, need: 'stale' }]);
    const first = judge(volume, { suspectSinceMs: 1 });
    expect(first.due).toEqual([]);
    expect(first.suspects.size).toBe(1);
  });

  it('goes when its volume is at home here, and no other node has what it was there', () => {
    expect(judge(readyVolume())).toMatchObject({ due: [{ copy: COPY, need: 'perhaps' }] });
  });

  it('stays as long as its volume, which has moved away, is to be compared by it', () => {
    const verdict = judge(readyVolume({ node: 'b' }), { onDisk: true });
    expect(verdict).toMatchObject({ due: [], moved: new Set([ID]) });
  });
});

describe('names of copies', () => {
  const namesOf = (modRevision: number, known: readonly string[] = []) =>
    createCopyNames({ modRevision, random: createSeededRandom(modRevision + known.length), known });

  it('are names that everybody takes, each later than the one before', () => {
    const next = namesOf(255);
    const names = Array.from({ length: 12 }, next);
    for (const name of names) expect(copyNameSchema.safeParse(name).success).toBe(true);
    expect(newest(names.toReversed())).toBe(names.at(-1));
  });

  it('go on where an attempt at the same revision stopped, and never repeat', () => {
    const first = namesOf(9);
    const known = [first(), first(), first()];
    const again = namesOf(9, known)();
    expect(known).not.toContain(again);
    expect(newest([again, ...known])).toBe(again);
  });

  it('of a later revision are later, however many the earlier one had', () => {
    const earlier = Array.from({ length: 20 }, namesOf(9));
    const later = namesOf(0x10000)();
    expect(newest([later, ...earlier])).toBe(later);
    expect(newest([])).toBeUndefined();
  });
});
