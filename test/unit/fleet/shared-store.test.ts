import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createNodeKv } from '../../../src/fleet/node-kv.ts';
import { specKey, VERSION_KEY, VOLUMES_PREFIX, volumeKey } from '../../../src/kv/keys.ts';
import type { Kv, WatchEvent } from '../../../src/kv/kv.ts';
import { volumeOf } from '../model/volumes.ts';
import { openFleet, type TestFleet } from './support.ts';

const A = 'v00000000000000aa';
const B = 'v00000000000000bb';

let fleet: TestFleet;
let held: string[];
let copies: boolean;

const kvOf = (node: string): Kv =>
  createNodeKv({
    store: fleet.world.store,
    kv: fleet.world.kv,
    node,
    holdings: { ids: () => held, hasCopies: () => copies },
  });

const put = async (key: string, value: string): Promise<number> =>
  (await fleet.kv.transact({ compare: [], writes: [{ kind: 'put', key, value }] })).revision;

const putVolume = (id: string, node: string): Promise<number> =>
  put(volumeKey(id), JSON.stringify(volumeOf({ id, node })));

/** What the node is told of volumes from a revision on. */
function follow(node: string, fromRevision: number) {
  const stop = new AbortController();
  const events: WatchEvent[] = [];
  const following = (async () => {
    for await (const batch of kvOf(node).watch({ prefix: VOLUMES_PREFIX, fromRevision, signal: stop.signal }))
      events.push(...batch.events);
  })();
  const ended = following.then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    keys: () => events.map((event) => (event.kind === 'put' ? event.kv.key : event.key)),
    stop,
    ended,
  };
}

beforeEach(async () => {
  fleet = await openFleet();
  held = [];
  copies = false;
});

afterEach(() => fleet.end());

describe('the store that a fleet shares', () => {
  it('answers with whatever was committed before it was asked', async () => {
    const kv = kvOf('a');
    for (let round = 1; round <= 5; round += 1) {
      const revision = await put(specKey('a'), String(round));
      const found = await kv.get(specKey('a'));
      expect(found).toMatchObject({ kv: { value: String(round), modRevision: revision } });
      expect(found.revision).toBeGreaterThanOrEqual(revision);
    }
  });

  it('answers, too, when somebody else has written elsewhere in etcd, of which no event tells', async () => {
    await put('/others/key', 'x');
    const reading = kvOf('a').get(VERSION_KEY);
    await fleet.clock.advance(2000);
    expect((await reading).kv?.value).toBe('1');
  });

  it('lists what is about the node or on its disk, and nothing of others', async () => {
    await Promise.all([putVolume(A, 'a'), putVolume(B, 'b'), put(specKey('a'), '1'), put(specKey('b'), '1')]);
    const keys = async () => (await kvOf('a').list('/cobalt/v1/')).kvs.map(({ key }) => key);
    expect(await keys()).toEqual(expect.arrayContaining([VERSION_KEY, specKey('a'), volumeKey(A)]));
    expect(await keys()).not.toEqual(expect.arrayContaining([volumeKey(B)]));
    held = [B];
    expect(await keys()).toEqual(expect.arrayContaining([volumeKey(A), volumeKey(B)]));
    // What becomes of copies depends on every other node.
    copies = true;
    expect(await keys()).toEqual(expect.arrayContaining([specKey('b')]));
  });

  it('tells a node of its own volumes, and of those that are taken from it', async () => {
    const before = await put(specKey('a'), '1');
    await fleet.clock.settle();
    const [a, b] = [follow('a', before + 1), follow('b', before + 1)];
    await fleet.clock.settle();
    await putVolume(A, 'a');
    await putVolume(B, 'b');
    await putVolume(A, 'b');
    await fleet.clock.settle();
    expect(a.keys()).toEqual([volumeKey(A), volumeKey(A)]);
    expect(b.keys()).toEqual([volumeKey(B), volumeKey(A)]);
    a.stop.abort();
    b.stop.abort();
    expect(await a.ended).toMatchObject({ code: 'aborted' });
  });

  it('misses nothing between a list and the watch that goes on from it', async () => {
    const listed = await kvOf('a').list(VOLUMES_PREFIX);
    await putVolume(A, 'a');
    await fleet.clock.settle();
    const following = follow('a', listed.revision + 1);
    await fleet.clock.settle();
    expect(following.keys()).toEqual([volumeKey(A)]);
    following.stop.abort();
  });

  it('ends every watch with an outage, waits for its end, and lists anew', async () => {
    const following = follow('a', (await kvOf('a').list(VOLUMES_PREFIX)).revision + 1);
    await fleet.clock.settle();
    fleet.etcd.setAvailable(false);
    await fleet.clock.settle();
    expect(await following.ended).toMatchObject({ code: 'unavailable' });
    const reading = kvOf('a').get(VERSION_KEY);
    await fleet.clock.advance(5000);
    fleet.etcd.setAvailable(true);
    await fleet.clock.advance(2000);
    expect((await reading).kv?.value).toBe('1');
    fleet.etcd.setAvailable(false);
    const inVain = kvOf('a')
      .get(VERSION_KEY)
      .catch((error: unknown) => error);
    await fleet.clock.advance(11_000);
    expect(await inVain).toMatchObject({ code: 'unavailable' });
  });

  it('sends whoever watches from long ago back to a list', async () => {
    expect(await follow('a', 1).ended).toMatchObject({ code: 'compacted' });
  });
});
