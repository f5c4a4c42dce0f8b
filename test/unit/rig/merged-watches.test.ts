import { describe, expect, it } from '@jest/globals';
import { revisionOf, type WatchBatch, type WatchEvent } from '../../../src/kv/kv.ts';
import { createMergedWatches } from '../../../src/rig/merged-watches.ts';

const put = (revision: number, value = `value ${revision}`): WatchEvent => ({
  kind: 'put',
  kv: { key: '/k', value, createRevision: 1, modRevision: revision, version: revision, lease: '0' },
});

/** Whole revisions up to the last one; without events a bookmark at it. */
const batch = (
  events: readonly WatchEvent[],
  revision = Math.max(...events.map(revisionOf)),
): WatchBatch => ({
  clusterId: '1',
  revision,
  events,
});

describe('merged watches', () => {
  const merged = () => createMergedWatches(['etcd1', 'etcd2', 'etcd3']);
  const fresh = (watches: ReturnType<typeof merged>, member: string, told: WatchBatch): readonly number[] =>
    watches.take(member, told).fresh.map(revisionOf);

  it('takes each revision from whoever tells of it first, and once', () => {
    const watches = merged();
    expect(fresh(watches, 'etcd1', batch([put(2), put(3)]))).toEqual([2, 3]);
    expect(fresh(watches, 'etcd2', batch([put(2), put(3), put(4)]))).toEqual([4]);
    expect(fresh(watches, 'etcd1', batch([put(4), put(5)]))).toEqual([5]);
    expect(fresh(watches, 'etcd3', batch([put(2)]))).toEqual([]);
    expect(watches.seen()).toBe(5);
    expect(watches.position('etcd3')).toBe(2);
  });

  it('believes a bookmark that nothing happened', () => {
    const watches = merged();
    watches.take('etcd1', batch([], 7));
    expect(watches.seen()).toBe(7);
    expect(watches.take('etcd2', batch([], 7)).disagreement).toBeUndefined();
  });

  it('finds two members that tell different things of one revision, and says what', () => {
    const watches = merged();
    watches.take('etcd1', batch([put(2), put(3, 'one')]));
    const { disagreement } = watches.take('etcd2', batch([put(2), put(3, 'another')]));
    expect(disagreement).toMatchObject({ revision: 3, told: [{ member: 'etcd1' }, { member: 'etcd2' }] });
    expect(JSON.stringify(disagreement)).not.toContain('another');
    // What comes after it is likely to differ, too.
    expect(watches.take('etcd2', batch([put(4)])).disagreement).toBeUndefined();
  });

  it('finds an event that only one of two members has, whoever comes first', () => {
    const late = merged();
    late.take('etcd1', batch([put(2)]));
    expect(late.take('etcd2', batch([], 2)).disagreement).toMatchObject({
      revision: 2,
      told: [{ member: 'etcd1' }, { member: 'etcd2', events: [] }],
    });
    const early = merged();
    early.take('etcd1', batch([], 2));
    expect(early.take('etcd2', batch([put(2)])).disagreement).toMatchObject({ revision: 2 });
  });

  it('compares nothing that a member could not tell any more', () => {
    const watches = merged();
    watches.take('etcd1', batch([put(2), put(3)]));
    watches.skip('etcd2');
    expect(watches.position('etcd2')).toBe(3);
    expect(watches.take('etcd2', batch([put(4)])).disagreement).toBeUndefined();
  });
});
