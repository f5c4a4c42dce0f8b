// etcd's keys as they were, at any revision that is known.

import { describe, expect, it } from '@jest/globals';
import { SECRET_KEY } from '../../../../src/kv/keys.ts';
import { createKeyHistory, type KeyEvent } from '../../../../src/rig/console/key-history.ts';

const put = (revision: number, key: string, value: unknown): KeyEvent => ({
  ...{ revision, kind: 'put', key, value: JSON.stringify(value), atMs: revision * 100 },
});
const gone = (revision: number, key: string): KeyEvent => ({
  revision,
  kind: 'delete',
  key,
  atMs: revision * 100,
});

const STORY = [
  put(2, 'a', { state: 'new' }),
  put(3, 'b', 1),
  put(4, 'a', { state: 'old' }),
  put(4, 'c', 1),
  gone(5, 'a'),
  put(6, 'a', { state: 'again' }),
];

const valuesAt = (history: ReturnType<typeof createKeyHistory>, revision: number) =>
  Object.fromEntries(history.at(revision).map(({ key, value }) => [key, value]));

describe('the history of keys', () => {
  it('has every key as it was at each revision', () => {
    const history = createKeyHistory();
    history.add(STORY);
    expect(valuesAt(history, 1)).toEqual({});
    expect(valuesAt(history, 3)).toEqual({ a: '{"state":"new"}', b: '1' });
    expect(valuesAt(history, 4)).toEqual({ a: '{"state":"old"}', b: '1', c: '1' });
    expect(valuesAt(history, 5)).toEqual({ b: '1', c: '1' });
    expect(valuesAt(history, 6)).toEqual({ a: '{"state":"again"}', b: '1', c: '1' });
    expect(history.to).toBe(6);
  });

  it('tells of creation, versions and what a revision has changed, field by field', () => {
    const history = createKeyHistory();
    history.add(STORY);
    expect(history.entryAt('a', 4)).toMatchObject({ created: 2, version: 2 });
    expect(history.entryAt('a', 6)).toMatchObject({ created: 6, version: 1 });
    expect(history.changesAt(4)).toEqual([
      { key: 'a', revision: 4, atMs: 400, did: 'changed', lines: ['state: "new" → "old"'] },
      { key: 'c', revision: 4, atMs: 400, did: 'created', lines: [] },
    ]);
    expect(history.versionsOf('a').map(({ revision, did }) => [revision, did])).toEqual([
      [2, 'created'],
      [4, 'changed'],
      [5, 'deleted'],
      [6, 'created'],
    ]);
  });

  it('leaves out what it has had already, as after a watch that began anew', () => {
    const history = createKeyHistory();
    history.add(STORY);
    expect(history.add([put(6, 'a', 'twice'), put(7, 'd', 1)])).toEqual([7]);
    expect(history.entryAt('a', 7)?.value).toBe('{"state":"again"}');
  });

  it('begins with what a compaction has left, and knows nothing of before', () => {
    const history = createKeyHistory();
    const entry = { key: 'a', value: '1', revision: 7, created: 3, version: 4, lease: null };
    history.reset({ from: 11, keys: [entry] });
    history.add([put(12, 'a', 2)]);
    expect(history.from).toBe(11);
    expect(valuesAt(history, 2)).toEqual({ a: '1' });
    expect(history.entryAt('a', 12)).toMatchObject({ created: 3, version: 5 });
    expect(history.changesAt(12)).toMatchObject([{ did: 'changed', lines: ['value: 1 → 2'] }]);
  });

  it('forgets the oldest of a long life, and is right about the rest', () => {
    const history = createKeyHistory(100);
    const whole = createKeyHistory(Number.POSITIVE_INFINITY);
    for (let revision = 2; revision < 1_000; revision += 1) {
      const event =
        revision % 7 === 0 ? gone(revision, `k${revision % 5}`) : put(revision, `k${revision % 5}`, revision);
      history.add([event]);
      whole.add([event]);
    }
    expect(history.from).toBeGreaterThan(890);
    for (let revision = history.from; revision < 1_000; revision += 1) {
      expect(valuesAt(history, revision)).toEqual(valuesAt(whole, revision));
      expect(history.changesAt(revision)).toEqual(whole.changesAt(revision));
    }
  });

  it('finds the revision of a moment', () => {
    const history = createKeyHistory();
    history.add(STORY);
    expect([0, 200, 399, 400, 9_999].map(history.revisionAt)).toEqual([0, 2, 3, 4, 6]);
  });

  it('holds no secret', () => {
    const history = createKeyHistory();
    history.add([put(2, SECRET_KEY, 'abracadabra')]);
    expect(JSON.stringify([history.at(2), history.changesAt(2)])).not.toContain('abracadabra');
  });
});
