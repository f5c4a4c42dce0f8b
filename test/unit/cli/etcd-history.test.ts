// All that etcd knows of some keys, on the model of it.

import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { historyOf } from '../../../src/cli/etcd-history.ts';
import { revisionOf } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';

const clock = createSystemClock();
const put = (key: string, value: string) => ({ compare: [], writes: [{ kind: 'put', key, value } as const] });

describe('the history of a prefix', () => {
  it('has every change below it, with what it replaced, and ends at the newest revision of the store', async () => {
    const store = createMemoryStore({ clock });
    const kv = store.connect();
    expect(await historyOf(kv, '/a/')).toEqual({ from: 1, to: 1, events: [] });
    await kv.transact(put('/a/x', '1'));
    await kv.transact(put('/b/x', '1'));
    await kv.transact(put('/a/x', '2'));
    await kv.transact({ compare: [], writes: [{ kind: 'delete', key: '/a/x' }] });
    await kv.transact(put('/b/x', '2'));
    const { from, to, events } = await historyOf(kv, '/a/');
    expect({ from, to, revisions: events.map(revisionOf) }).toEqual({ from: 1, to: 6, revisions: [2, 4, 5] });
    expect(events.map(({ previous }) => previous?.value)).toEqual([undefined, '1', '2']);
    await kv.close();
  });

  it.each([1, 2, 3, 5, 6])('begins after what is compacted: %i', async (revision) => {
    const store = createMemoryStore({ clock });
    const kv = store.connect();
    for (const value of ['1', '2', '3', '4', '5']) await kv.transact(put('/a/x', value));
    store.compact(revision);
    const { from, to, events } = await historyOf(kv, '/a/');
    const kept = [2, 3, 4, 5, 6].filter((one) => one > revision);
    expect({ from, to, revisions: events.map(revisionOf) }).toEqual({
      from: revision === 1 ? 1 : revision + 1,
      to: 6,
      revisions: kept,
    });
    await kv.close();
  });
});
