// Moves between nodes on a clock of the test's own.

import { afterEach, describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../../src/kv/keys.ts';
import { condemned, moveCancelled, reexported } from '../../../../../src/model/changes.ts';
import { ID } from '../../../model/volumes.ts';
import { begin, FILES, isAt, scene, settled } from './story.ts';
import { RULE, type Scene } from './support.ts';

const ENGINE = { role: 'engine', node: 'a', term: 1 } as const;

/** Whatever happened, no two nodes ever exported the volume at a time. */
afterEach(() => expect(scene.violations).toEqual([]));

describe('a move', () => {
  it('takes everything along, and leaves nothing behind', async () => {
    const { place, move } = await begin();
    await move('b');
    await settled('b');
    expect(place('a').events()).toEqual(
      expect.arrayContaining([
        ...['move.started', 'move.sent', 'move.cutover', 'move.handed-over'],
        ...['move.verified', 'move.source-trashed'],
      ]),
    );
    expect(place('a').lines.find(({ event }) => event === 'move.handed-over')).toMatchObject({
      ...{ volume: ID, to: 'b', unexportedMs: expect.any(Number), lastMs: expect.any(Number) },
    });
    expect(place('a').disk.trash).toMatchObject([{ id: ID }]);
  });

  it('sends first all of it, then what has changed while that went on', async () => {
    const { place, move, clock } = await begin();
    place('b').hooks.storage = (storage) => ({
      ...storage,
      receive: async (copy, stream) => {
        await storage.receive(copy, stream);
        await clock.sleep(3000);
      },
    });
    place('b').kill();
    await place('b').start();
    await move('b');
    await scene.until('the first copy', () => place('b').copies().length > 0);
    place('a').write('late', 'written meanwhile');
    await settled('b', { ...FILES, late: 'written meanwhile' });
    const sent = place('a').lines.filter(({ event }) => event === 'move.sent');
    // Each takes too long, and so there are as many as there may be.
    expect(sent.map(({ incremental }) => incremental)).toEqual([false, true, true, true, true]);
    expect(sent[1]?.bytes).toBeLessThan(Number(sent[0]?.bytes));
  });

  it('goes there and back again, at once', async () => {
    const { move, place } = await begin();
    await move('b');
    await scene.until('the volume on b', isAt('b'));
    place('b').write('of-b', 'new');
    await move('a');
    await settled('a', { ...FILES, 'of-b': 'new' });
    await move('b');
    await settled('b', { ...FILES, 'of-b': 'new' });
  });

  it('goes on from node to node', async () => {
    const { move } = await begin('a', 'b', 'c');
    await move('b');
    await scene.until('the volume on b', isAt('b'));
    await move('c');
    await settled('c');
  });

  it('carries over exports that a client changes in the middle of the cutover', async () => {
    const { place, move, clock } = await begin();
    const other = { ...RULE, host: '10.0.0.2' };
    place('a').hooks.failpoint = async (name) => {
      if (name !== 'move/before-handover') return;
      const volume = await scene.read();
      const author = { writer: { role: 'api', node: 'a', term: null } as const, nowMs: clock.nowMs() };
      if (volume !== undefined) await scene.write(reexported(volume, [other], author));
    };
    await move('b');
    await settled('b');
    expect(place('b').exporter.server.exports.get(ID)).toEqual([other]);
  });

  it.each([undefined, 'c'])(
    'ends when it is called off, and goes where it is sent next (%s)',
    async (next) => {
      const { place, move, clock } = await begin('a', 'b', 'c');
      const gate = Promise.withResolvers<void>();
      let frozen = 0;
      place('a').hooks.failpoint = async (name) => {
        if (name !== 'move/after-freeze') return;
        frozen += 1;
        if (frozen === 2) await gate.promise;
      };
      place('b').hooks.storage = (storage) => ({
        ...storage,
        receive: async (copy, stream) => {
          await storage.receive(copy, stream);
          await clock.sleep(3000);
        },
      });
      place('b').kill();
      await place('b').start();
      await move('b');
      await scene.until('the second stream', () => frozen === 2);
      const volume = await scene.read();
      if (volume === undefined) throw new Error('there is no volume');
      const author = { writer: ENGINE, nowMs: clock.nowMs() };
      const pending = moveCancelled(volume, 'b is to go', author);
      await scene.write(pending);
      await place('a').pass();
      await clock.settle();
      gate.resolve();
      if (next !== undefined) {
        await move(next);
        await settled(next);
        return;
      }
      await scene.until(
        'all copies to go',
        () => [...place('a').copies(), ...place('b').copies()].length === 0,
      );
      expect(await scene.read()).toMatchObject({ state: 'pending', node: 'a' });
      expect(scene.exporting()).toEqual(['a']);
    },
  );

  it('is of no concern any more when the volume is deleted afterwards', async () => {
    const { place, move, clock, kv } = await begin();
    place('a').hooks.failpoint = async (name) => {
      if (name === 'move/after-handover') place('a').kill();
    };
    await move('b');
    await scene.until('the volume on b', isAt('b'));
    const volume = await scene.read();
    if (volume === undefined) throw new Error('no volume');
    await scene.write(
      condemned(volume, { writer: { role: 'api', node: 'a', term: null }, nowMs: clock.nowMs() }),
    );
    place('b').exporter.server.exports.clear();
    place('b').disk.subvolumes.delete(ID);
    await kv.transact({ compare: [], writes: [{ kind: 'delete', key: volumeKey(ID) }] });
    place('a').hooks.failpoint = async () => {};
    await place('a').start();
    // The subvolume itself is left to the rule of orphans, which is another's.
    await scene.until(
      'all copies to go',
      () => [...place('a').copies(), ...place('b').copies()].length === 0,
    );
    expect(place('a').events()).not.toContain('move.source-trashed');
  });
});

describe('a cutover', () => {
  it('that takes too long is given up: clients come first', async () => {
    const { place, move, clock } = await begin();
    let streams = 0;
    const unexportedMs: number[] = [];
    place('b').hooks.storage = (storage) => ({
      ...storage,
      // Each second stream is a cutover's; they crawl, but don't stand still.
      receive: async (copy, stream) => {
        streams += 1;
        const crawls = streams % 2 === 0 && streams <= 4;
        await storage.receive(copy, crawls ? crawling(stream, clock) : stream);
      },
    });
    place('b').kill();
    await place('b').start();
    await move('b');
    let sinceMs: number | undefined;
    await scene.until('the volume on b', async () => {
      const isOut = scene.exporting().length === 0;
      if (isOut) sinceMs ??= clock.monotonicMs();
      if (!isOut && sinceMs !== undefined) unexportedMs.push(clock.monotonicMs() - sinceMs);
      if (!isOut) sinceMs = undefined;
      return isAt('b')();
    });
    await settled('b');
    expect(
      place('a')
        .events()
        .filter((event) => event === 'move.cutover-too-long'),
    ).toHaveLength(1);
    // Twice as long for the second time, which is enough.
    expect(Math.max(...unexportedMs)).toBeLessThanOrEqual(61_000);
    expect(unexportedMs[0]).toBeLessThanOrEqual(31_000);
  });
});

/** A chunk every 20 s: far from standing still, and far too slow for whoever waits. */
async function* crawling(
  stream: AsyncIterable<Uint8Array>,
  clock: Scene['clock'],
): AsyncIterable<Uint8Array> {
  for await (const chunk of stream) {
    await clock.sleep(20_000);
    yield chunk;
  }
}
