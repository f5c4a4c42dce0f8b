import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { followPrefix } from '../../../src/kv/follow.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createView } from '../../../src/kv/view.ts';
import { createWorld, put, remove } from './support.ts';

type World = ReturnType<typeof createWorld>;

/** A follower that writes down what it was told: `[reason keys]`, `+key@revision`, `-key@revision`, `lost`. */
function record({ clock, random }: World, kv: Kv, prefix = 'p/') {
  const told: string[] = [];
  const stop = new AbortController();
  const done = followPrefix({
    kv,
    clock,
    random,
    prefix,
    signal: stop.signal,
    onSnapshot: ({ reason, kvs }) => {
      told.push(`[${[reason, ...kvs.map(({ key }) => key)].join(' ')}]`);
    },
    onBatch: ({ events }) => {
      for (const event of events) {
        const [sign, key, revision] =
          event.kind === 'put'
            ? ['+', event.kv.key, event.kv.modRevision]
            : ['-', event.key, event.modRevision];
        told.push(`${sign}${key}@${revision}`);
      }
    },
    onDisconnect: () => {
      told.push('lost');
    },
  });
  return { told, done, stop: () => stop.abort() };
}

describe('following a prefix', () => {
  it('starts with what is there, goes on with what happens, and ends with its signal', async () => {
    const world = createWorld();
    const { kv, clock } = world;
    await put(kv, 'p/a');
    const follower = record(world, kv);
    await clock.settle();
    await put(kv, 'q/outside');
    await put(kv, 'p/b');
    await remove(kv, 'p/a');
    await clock.settle();
    follower.stop();
    await follower.done;
    expect(follower.told).toEqual(['[first p/a]', '+p/b@4', '-p/a@5']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is told what each event replaced, if it asks', async () => {
    const { kv, clock, random } = createWorld();
    const stop = new AbortController();
    const told: (string | undefined)[] = [];
    const following = createView({
      kv,
      clock,
      random,
      prefix: 'p/',
      previous: true,
      signal: stop.signal,
      onChange: (_, change) => {
        if (change.kind === 'events') told.push(...change.events.map(({ previous }) => previous?.value));
      },
    });
    await clock.settle();
    await put(kv, 'p/a', '1');
    await put(kv, 'p/a', '2');
    await remove(kv, 'p/a');
    await clock.settle();
    stop.abort();
    await following.done;
    expect(told).toEqual([undefined, '1', '2']);
  });

  it('resumes after an outage where it was', async () => {
    const world = createWorld();
    const { kv, clock, store } = world;
    const follower = record(world, kv);
    await clock.settle();
    await put(kv, 'p/a');
    await clock.settle();
    store.setAvailable(false);
    await clock.advance(10_000);
    store.setAvailable(true);
    await put(kv, 'p/b');
    await clock.advance(1000);
    follower.stop();
    await follower.done;
    expect(follower.told).toEqual(['[first]', '+p/a@2', 'lost', '+p/b@3']);
  });

  it('waits for a store that is not there yet', async () => {
    const world = createWorld();
    world.store.setAvailable(false);
    const follower = record(world, world.kv);
    await world.clock.advance(5000);
    world.store.setAvailable(true);
    await world.clock.advance(1000);
    follower.stop();
    await follower.done;
    expect(follower.told).toEqual(['lost', '[first]']);
  });

  it('takes a new snapshot when what it missed has been compacted', async () => {
    const world = createWorld();
    const { kv, clock, store } = world;
    const follower = record(world, kv);
    await clock.settle();
    store.setAvailable(false);
    await clock.settle();
    store.setAvailable(true);
    await put(kv, 'p/a');
    await remove(kv, 'p/a');
    await put(kv, 'p/b');
    store.compact(store.revision);
    await clock.advance(1000);
    await put(kv, 'p/c');
    await clock.settle();
    follower.stop();
    await follower.done;
    expect(follower.told).toEqual(['[first]', 'lost', '[compacted p/b]', '+p/c@5']);
  });

  it.each([
    ['another cluster', { random: true, writes: 5 }],
    ['the same cluster, set back', { random: false, writes: 1 }],
  ])('says so when %s answers', async (_, { random, writes }) => {
    const world = createWorld();
    const { clock } = world;
    const other = createMemoryStore({ clock, ...(random ? { random: world.random } : {}) });
    for (let count = 0; count < 3; count += 1) await put(world.kv, 'p/old');
    for (let count = 0; count < writes; count += 1) await put(other.connect(), 'p/new');
    let behind = world.kv;
    const kv = new Proxy({} as Kv, { get: (_target, name) => behind[name as keyof Kv] });
    const follower = record(world, kv);
    await clock.settle();
    behind = other.connect();
    world.store.setAvailable(false);
    await clock.advance(1000);
    follower.stop();
    await follower.done;
    expect(follower.told).toEqual(['[first p/old]', 'lost', '[replaced p/new]']);
  });

  it("ends with a handler's error, and with the client's closing", async () => {
    const { kv, clock, random } = createWorld();
    const options = { kv, clock, random, prefix: '', signal: new AbortController().signal };
    const failing = followPrefix({
      ...options,
      onBatch: () => {},
      onSnapshot: () => {
        throw new RigError('unavailable', 'not the store, but the handler');
      },
    });
    await expect(failing).rejects.toMatchObject({ message: 'not the store, but the handler' });
    const closing = followPrefix({ ...options, onBatch: () => {}, onSnapshot: () => kv.close() });
    await expect(closing).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a view', () => {
  it('mirrors the prefix and knows when it may be old', async () => {
    const { kv, clock, random, store } = createWorld();
    await put(kv, 'p/a', '1');
    const stop = new AbortController();
    const changes: string[] = [];
    const { view, done } = createView({
      kv,
      clock,
      random,
      prefix: 'p/',
      signal: stop.signal,
      onChange: ({ entries }, { kind }) => {
        changes.push(`${kind} ${entries.size}`);
      },
    });
    expect(view.synced).toBe(false);
    await clock.settle();
    await put(kv, 'p/b', '1');
    await remove(kv, 'p/a');
    await clock.settle();
    expect(view).toMatchObject({ synced: true, revision: 4, clusterId: '1' });
    expect([...view.entries.keys()]).toEqual(['p/b']);
    store.setAvailable(false);
    await clock.settle();
    expect(view.synced).toBe(false);
    store.setAvailable(true);
    await clock.advance(1000);
    expect(view.synced).toBe(true);
    expect(changes).toEqual(['snapshot 1', 'events 2', 'events 1', 'snapshot 1']);
    stop.abort();
    await done;
  });

  it('sees what a store has that was restored from a backup, and has overtaken it while it was away', async () => {
    const { clock, random, store: lost } = createWorld();
    const restored = createMemoryStore({ clock });
    let at = lost.connect();
    const kv: Kv = { ...at, list: (prefix) => at.list(prefix), watch: (options) => at.watch(options) };
    await put(at, 'p/lost');
    const stop = new AbortController();
    const { view, done } = createView({ kv, clock, random, prefix: 'p/', signal: stop.signal });
    await clock.settle();
    lost.setAvailable(false);
    at = restored.connect();
    for (const key of ['p/one', 'p/two', 'p/three']) await put(at, key);
    await clock.advance(1000);
    expect(view).toMatchObject({ synced: true, revision: restored.revision });
    expect([...view.entries.keys()].toSorted()).toEqual(['p/one', 'p/three', 'p/two']);
    stop.abort();
    await done;
  });
});
