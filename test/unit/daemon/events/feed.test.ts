// One watch, many readers: each revision once and in order, wherever a reader begins and however slow it is.

import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../../src/base/log.ts';
import { createSeededRandom } from '../../../../src/base/random.ts';
import type { Told } from '../../../../src/daemon/events/changes.ts';
import {
  CONCURRENT_CATCH_UPS,
  createFeed,
  type Feed,
  type FeedOptions,
} from '../../../../src/daemon/events/feed.ts';
import { createRing } from '../../../../src/daemon/events/ring.ts';
import { nodeKey, ROOT } from '../../../../src/kv/keys.ts';
import type { Kv } from '../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { nodeOf } from '../../model/volumes.ts';

const QUIET_MS = 15_000;
const log = createLog({ write: () => {}, nowMs: () => 0 });

function createWorld() {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  const kv = store.connect();
  const stop = new AbortController();
  let lists = 0;
  const counted: Kv = {
    ...kv,
    list: (prefix, options) => {
      lists += 1;
      return kv.list(prefix, options);
    },
  };
  let joined = 0;
  return {
    clock,
    store,
    stop,
    lists: () => lists,
    /** One event of a revision of its own. */
    commit: async (): Promise<number> => {
      joined += 1;
      const name = `n${joined}`;
      const write = { kind: 'put' as const, key: nodeKey(name), value: JSON.stringify(nodeOf(name)) };
      return (await kv.transact({ compare: [], writes: [write] })).revision;
    },
    /** A revision of which there is nothing to tell. */
    commitSilently: async (): Promise<number> =>
      (await kv.transact({ compare: [], writes: [{ kind: 'put', key: `${ROOT}x`, value: '' }] })).revision,
    open: async (options: Partial<FeedOptions> = {}): Promise<Feed> => {
      const random = createSeededRandom(1);
      const feed = createFeed({ kv: counted, clock, random, log, signal: stop.signal, ...options });
      await clock.settle();
      await feed.ready(stop.signal);
      return feed;
    },
  };
}

/** Reads for as long as it is let, and tells what it has. */
function follow(feed: Feed, since: number) {
  const told: Told[] = [];
  const stop = new AbortController();
  let ended = false;
  void (async () => {
    for await (const next of feed.read({ since, signal: stop.signal, idleMs: () => QUIET_MS }))
      told.push(next);
    ended = true;
  })();
  return {
    told,
    revisions: () => told.filter(({ events }) => events.length > 0).map(({ revision }) => revision),
    kinds: () => told.flatMap(({ events }) => events.map(({ kind }) => kind)),
    isOver: () => ended,
    stop: () => stop.abort(),
  };
}

describe('a reader', () => {
  it('is told what comes after the revision that it knows of, from the common watch', async () => {
    const world = createWorld();
    const since = await world.commit();
    const feed = await world.open({ from: since });
    const revisions = [await world.commit(), await world.commit()];
    await world.clock.settle();
    const readers = [since, revisions[0] ?? 0, revisions[1] ?? 0].map((from) => follow(feed, from));
    revisions.push(await world.commit());
    await world.clock.settle();
    expect(readers.map((reader) => reader.revisions())).toEqual([
      revisions,
      revisions.slice(1),
      revisions.slice(2),
    ]);
    expect(world.lists()).toBe(1);
  });

  it('that begins before the common watch catches up on its own, and joins it', async () => {
    const world = createWorld();
    const revisions: number[] = [];
    for (let n = 0; n < 5; n += 1) revisions.push(await world.commit());
    const feed = await world.open();
    const reader = follow(feed, revisions[0] ?? 0);
    await world.clock.settle();
    expect(reader.revisions()).toEqual(revisions.slice(1));
    revisions.push(await world.commit(), await world.commit());
    await world.clock.settle();
    expect(reader.revisions()).toEqual(revisions.slice(1));
    expect(world.lists()).toBe(2);
  });

  it('gets a bookmark when it is quiet, which counts what there is nothing to tell of', async () => {
    const world = createWorld();
    const since = await world.commit();
    const feed = await world.open();
    const reader = follow(feed, since);
    await world.clock.settle();
    const silent = await world.commitSilently();
    await world.clock.advance(QUIET_MS - 1);
    expect(reader.told).toEqual([]);
    // News that there is nothing of doesn't put it off.
    const last = await world.commitSilently();
    await world.clock.advance(1);
    expect(reader.told).toEqual([{ revision: last, events: [] }]);
    expect(last).toBe(silent + 1);
  });

  it('that is so slow that its place is lost ends, and loses nothing when it comes back', async () => {
    const world = createWorld();
    const since = await world.commit();
    const feed = await world.open({ capacity: 3 });
    const slow = feed.read({ since, signal: world.stop.signal, idleMs: () => QUIET_MS });
    const first = await world.commit();
    expect((await slow.next()).value).toMatchObject({ revision: first });
    const missed: number[] = [];
    for (let n = 0; n < 10; n += 1) missed.push(await world.commit());
    await world.clock.settle();
    expect((await slow.next()).done).toBe(true);
    const again = follow(feed, first);
    await world.clock.settle();
    expect(again.revisions()).toEqual(missed);
  });

  it('is told once of a revision that the feed doesn’t know of yet', async () => {
    const world = createWorld();
    await world.commit();
    const feed = await world.open();
    const ahead = await world.commit();
    const reader = follow(feed, ahead);
    const next = await world.commit();
    await world.clock.settle();
    expect(reader.revisions()).toEqual([next]);
  });

  it.each([
    ['compacted', 2],
    ['replaced', 1000],
  ] as const)('is told of a reset and all that there is when its revision is %s', async (reason, since) => {
    const world = createWorld();
    for (let n = 0; n < 3; n += 1) await world.commit();
    world.store.compact(3);
    const feed = await world.open();
    const reader = follow(feed, since);
    await world.clock.settle();
    expect(reader.told[0]?.events[0]).toMatchObject({ kind: 'reset', reason });
    expect(reader.kinds()).toEqual(['reset', 'snapshot', 'snapshot', 'snapshot', 'snapshot']);
    const next = await world.commit();
    await world.clock.settle();
    expect(reader.revisions()).toEqual([world.store.revision - 1, next]);
  });

  it('goes on after an outage, without loss or repetition', async () => {
    const world = createWorld();
    const early = await world.commit();
    const since = await world.commit();
    const feed = await world.open();
    const [live, catching] = [follow(feed, since), follow(feed, early)];
    const before = await world.commit();
    await world.clock.settle();
    world.store.setAvailable(false);
    const late = follow(feed, early);
    await world.clock.advance(5000);
    world.store.setAvailable(true);
    const after = await world.commit();
    await world.clock.advance(3000);
    expect(live.revisions()).toEqual([before, after]);
    expect(catching.revisions()).toEqual([since, before, after]);
    expect(late.revisions()).toEqual([since, before, after]);
  });

  it('is told of a reset when the feed itself has missed something', async () => {
    const world = createWorld();
    const since = await world.commit();
    const feed = await world.open();
    const reader = follow(feed, since);
    await world.clock.settle();
    world.store.setAvailable(false);
    await world.clock.advance(10);
    world.store.setAvailable(true);
    await world.commit();
    world.store.compact(await world.commit());
    await world.clock.advance(3000);
    expect(reader.kinds().slice(0, 2)).toEqual(['reset', 'snapshot']);
    const next = await world.commit();
    await world.clock.settle();
    expect(reader.revisions().at(-1)).toBe(next);
  });

  it('ends with the feed, and leaves no timer behind', async () => {
    const world = createWorld();
    const since = await world.commit();
    const feed = await world.open();
    const reader = follow(feed, since);
    await world.clock.settle();
    world.stop.abort();
    await world.clock.settle();
    expect(reader.isOver()).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
    await expect(feed.ready(new AbortController().signal)).resolves.toBeUndefined();
  });
});

describe('a reader that takes its time', () => {
  const reading = (feed: Feed, since: number, signal: AbortSignal) =>
    feed.read({ since, signal, idleMs: () => QUIET_MS });

  it.each([
    ['compacted', 2],
    ['replaced', 1000],
  ] as const)('over a reset (%s) ends, and loses nothing when it comes back', async (reason, since) => {
    const world = createWorld();
    for (let n = 0; n < 6; n += 1) await world.commit();
    world.store.compact(6);
    const feed = await world.open({ capacity: 3 });
    const slow = reading(feed, since, world.stop.signal);
    const reset = (await slow.next()).value as Told;
    expect(reset.events[0]).toMatchObject({ kind: 'reset', reason });
    const missed: number[] = [];
    for (let n = 0; n < 6; n += 1) missed.push(await world.commit());
    await world.clock.settle();
    expect(await slow.next()).toEqual({ done: true, value: undefined });
    const again = follow(feed, reset.revision);
    await world.clock.settle();
    expect(again.revisions()).toEqual(missed);
  });

  it('over the past, while the store goes back to a time before it, ends, and is told so when it comes back', async () => {
    const world = createWorld();
    for (let n = 0; n < 20; n += 1) await world.commit();
    const old = world.store.connect();
    let now: Kv = old;
    const feed = await world.open({
      kv: {
        ...old,
        get: (key) => now.get(key),
        list: (prefix, options) => now.list(prefix, options),
        watch: (options) => now.watch(options),
      },
    });
    const slow = reading(feed, 9, world.stop.signal);
    const { revision } = (await slow.next()).value as Told;
    expect(revision).toBe(10);
    now = createMemoryStore({ clock: world.clock }).connect();
    world.store.setAvailable(false);
    await world.clock.advance(3000);
    expect(feed.revision).toBeLessThan(revision);
    const next = slow.next();
    await world.clock.advance(QUIET_MS);
    expect(await next).toEqual({ done: true, value: undefined });
    const again = follow(feed, revision);
    await world.clock.settle();
    expect(again.told[0]?.events[0]).toMatchObject({ kind: 'reset', reason: 'replaced' });
  });
});

it('a ring keeps the last revision however large it is, and nothing before it', () => {
  const ring = createRing(2);
  ring.begin(1);
  const told = (revision: number, events: number): Told => ({
    revision,
    events: Array.from({ length: events }, () => ({ kind: 'leader' as const, revision, node: null })),
  });
  ring.add(told(2, 1));
  const place = ring.placeAfter(1);
  ring.add(told(3, 10));
  expect(ring.covers(1)).toBe(false);
  expect(ring.covers(2)).toBe(true);
  expect(ring.at(place)).toBe('lost');
  expect(ring.at(ring.placeAfter(2))).toMatchObject({ told: { revision: 3 } });
  ring.reset(told(9, 1));
  expect(ring.at(place)).toMatchObject({ told: { revision: 9 } });
});

it('after another store took the place of the old one, further back, a live reader hears what happens there', async () => {
  const world = createWorld();
  let since = 0;
  for (let n = 0; n < 20; n += 1) since = await world.commit();
  const old = world.store.connect();
  const young = createMemoryStore({ clock: world.clock }).connect();
  let now: Kv = old;
  const feed = await world.open({
    kv: {
      ...old,
      get: (key) => now.get(key),
      list: (prefix, options) => now.list(prefix, options),
      watch: (options) => now.watch(options),
    },
  });
  const reader = follow(feed, since);
  await world.clock.settle();
  now = young;
  world.store.setAvailable(false);
  await world.clock.advance(3000);
  expect(reader.kinds()).toEqual(['reset', 'snapshot']);
  const revisions: number[] = [];
  for (const name of ['x', 'y']) {
    const write = { kind: 'put' as const, key: nodeKey(name), value: JSON.stringify(nodeOf(name)) };
    revisions.push((await young.transact({ compare: [], writes: [write] })).revision);
  }
  await world.clock.advance(3000);
  expect(revisions.every((revision) => revision < since)).toBe(true);
  expect(reader.revisions().slice(1)).toEqual(revisions);
  await world.clock.advance(QUIET_MS);
  expect(reader.told.at(-1)).toEqual({ revision: revisions.at(-1), events: [] });
});

describe('readers that catch up', () => {
  it('are so many at a time, and take turns with those who are slow', async () => {
    const world = createWorld();
    const revisions: number[] = [];
    for (let n = 0; n < 5; n += 1) revisions.push(await world.commit());
    const feed = await world.open();
    const [since = 0, ...later] = revisions;
    const slow = Array.from({ length: CONCURRENT_CATCH_UPS }, () =>
      feed.read({ since, signal: world.stop.signal, idleMs: () => QUIET_MS }),
    );
    expect(feed.isCrowded(since)).toBe(false);
    await Promise.all(slow.map((reader) => reader.next()));
    expect([feed.isCrowded(since), feed.isCrowded(feed.revision)]).toEqual([true, false]);
    const waiting = follow(feed, since);
    const leaving = follow(feed, since);
    await world.clock.advance(60_000);
    expect(waiting.told).toEqual([]);
    leaving.stop();
    await world.clock.settle();
    expect(leaving.isOver()).toBe(true);
    // It was at it for long enough, and somebody waits.
    expect((await slow[0]?.next())?.done).toBe(true);
    await world.clock.settle();
    expect(waiting.revisions()).toEqual(later);
    expect(waiting.isOver()).toBe(false);
    // Nobody waits any more.
    expect((await slow[1]?.next())?.value).toMatchObject({ revision: later[1] });
  });
});
