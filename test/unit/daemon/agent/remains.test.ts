import { describe, expect, it } from '@jest/globals';
import { createRemains, remainsOn } from '../../../../src/daemon/agent/remains.ts';
import { nodeKey, volumeKey } from '../../../../src/kv/keys.ts';
import type { KeyValue } from '../../../../src/kv/kv.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { ID, nodeOf, readyVolume } from '../../model/volumes.ts';

const stored = (key: string, value: unknown): KeyValue => ({
  key,
  value: typeof value === 'string' ? value : JSON.stringify(value),
  createRevision: 1,
  modRevision: 1,
  version: 1,
  lease: '0',
});
const move = (node: string, copy: string | null): Partial<Volume['control']> => ({
  task: { kind: 'move', cause: 'drain', node, copy },
});
const COPY = '0123456789abcdef-1';

describe('what remains on a disk', () => {
  it.each<[string, unknown, readonly string[], number]>([
    ["is not the node's own volume", readyVolume(), [], 0],
    ['is not one that is being deleted here', readyVolume({ state: 'deleting' }), [], 0],
    ["is another node's", readyVolume({ node: 'b' }), [], 1],
    ["is nobody's", undefined, [], 1],
    ['is one that is on its way from here', readyVolume({ state: 'moving' }, move('b', null)), [], 1],
    ['is one that was handed over', readyVolume({ state: 'moving', node: 'b' }, move('b', COPY)), [], 1],
    ['is one of which nobody can read whose it is', 'no JSON', [], 1],
    ["is a copy of the node's own volume", readyVolume(), [ID], 1],
    ["is counted once by volume: another node's with copies", readyVolume({ node: 'b' }), [ID, ID], 1],
  ])('%s', (_what, volume, copied, count) => {
    const kvs = [stored(nodeKey('a'), nodeOf('a'))];
    if (volume !== undefined) kvs.push(stored(volumeKey(ID), volume));
    expect(remainsOn({ self: 'a', kvs, onDisk: [ID], copied }).size).toBe(count);
  });

  it('is nothing where the disk has nothing, whatever is to come', () => {
    const kvs = [stored(volumeKey(ID), readyVolume({ node: 'b' }))];
    expect(remainsOn({ self: 'a', kvs, onDisk: [], copied: [] }).size).toBe(0);
  });
});

describe('the count of what remains', () => {
  const NOTHING = new Set<string>();

  it('is unknown until a comparison has told, and again when it could not', () => {
    const remains = createRemains();
    expect(remains.count()).toBeNull();
    remains.compare()(new Set([ID]));
    expect(remains.count()).toBe(1);
    remains.compare()(null);
    expect(remains.count()).toBeNull();
  });

  it('has what leaves, whatever a comparison says that had begun before', () => {
    const remains = createRemains();
    remains.compare()(NOTHING);
    const found = remains.compare();
    remains.leaves(ID);
    expect(remains.count()).toBe(1);
    found(NOTHING);
    expect(remains.count()).toBe(1);
    remains.compare()(NOTHING);
    expect(remains.count()).toBe(0);
  });

  it('has no longer what was cleared away, and stays unknown if it was', () => {
    const remains = createRemains();
    remains.gone(ID);
    expect(remains.count()).toBeNull();
    remains.compare()(new Set([ID, 'v00000000000000b2']));
    remains.leaves('v00000000000000b2');
    remains.gone(ID);
    remains.gone('v00000000000000b2');
    expect(remains.count()).toBe(0);
  });

  it('does not go by a comparison that had begun before it was forgotten', () => {
    const remains = createRemains();
    const found = remains.compare();
    remains.forget();
    found(NOTHING);
    expect(remains.count()).toBeNull();
    remains.compare()(NOTHING);
    expect(remains.count()).toBe(0);
  });
});
