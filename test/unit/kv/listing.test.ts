import { expect, it } from '@jest/globals';
import type { KeyValue } from '../../../src/kv/kv.ts';
import { at, under } from '../../../src/kv/listing.ts';

const listing = (...keys: readonly string[]): readonly KeyValue[] =>
  [...keys]
    .sort()
    .map((key) => ({ key, value: '', createRevision: 1, modRevision: 1, version: 1, lease: '0' }));
const keys = (kvs: readonly KeyValue[]): readonly string[] => kvs.map(({ key }) => key);

it('finds all that is under a prefix, wherever it stands, and nothing else', () => {
  const kvs = listing('/a', '/b', '/b/', '/b/1', '/b/2', '/b0', '/c/1');
  for (const prefix of ['/', '/a', '/a/', '/b', '/b/', '/c/', '/d', ''])
    expect(keys(under(kvs, prefix))).toEqual(keys(kvs).filter((key) => key.startsWith(prefix)));
  expect(under([], '/')).toEqual([]);
});

it('finds a key, and not one that begins like it', () => {
  const kvs = listing('/b', '/b/1', '/c1');
  expect(at(kvs, '/b')?.key).toBe('/b');
  expect([at(kvs, '/c'), at(kvs, '/d'), at([], '/b')]).toEqual([undefined, undefined, undefined]);
});
