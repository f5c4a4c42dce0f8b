// Callbacks: signed, in order, at least once, whatever happens to consumers and leaders, and no
// consumer at the expense of another.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { subscriptionKey } from '../../../../../src/kv/keys.ts';
import { ID } from '../../../model/volumes.ts';
import { type Consumer, createWorld, GIVE_UP_MS, SECRET } from './support.ts';

const OTHER = 'v00000000000000ff';
/** Of the event in the history of the store: revision and index, without the digest. */
const placeOf = (id: string): string => id.replace(/\.[0-9a-f]{8}$/, '');
const idsAt = ({ calls }: Consumer): readonly string[] => calls.map(({ body }) => placeOf(body.id));

describe('a callback', () => {
  it('tells of exports, with a signature that the consumer can check', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    const revision = await world.exportVolume();
    await world.clock.advance(10);
    expect(consumer.calls).toHaveLength(1);
    const [call] = consumer.calls;
    // The volume's own event comes first, and isn't sent.
    expect(call?.body).toMatchObject({
      id: expect.stringMatching(new RegExp(`^${revision}\\.1\\.[0-9a-f]{8}$`)),
      subscription: id,
      event: { kind: 'export', revision, volume: ID, clients: [{ action: 'mount' }] },
    });
    const [, seconds, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(call?.headers['cobalt-signature'] ?? '') ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(world.clock.nowMs() - 2000);
    expect(createHmac('sha256', SECRET).update(`${seconds}.${call?.text}`).digest('hex')).toBe(signature);
    expect(call?.headers['cobalt-event']).toBe(call?.body.id);
    expect(call?.headers['content-type']).toBe('application/json');
    await term.end();
  });

  it('is only about the volumes that were asked for', async () => {
    const world = await createWorld();
    const [one, all] = [await world.consume('c1'), await world.consume('c2')];
    await world.subscribe(one, { id: 's0000000000000001', volumes: [ID] });
    await world.subscribe(all, { id: 's0000000000000002' });
    const term = await world.lead();
    const first = await world.exportVolume(ID);
    const second = await world.exportVolume(OTHER);
    await world.clock.advance(10);
    expect(idsAt(one)).toEqual([`${first}.1`]);
    expect(idsAt(all)).toEqual([`${first}.1`, `${second}.1`]);
    await term.end();
  });

  it('is tried again, in order, until it is taken', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = 503;
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    const first = await world.exportVolume();
    const second = await world.exportVolume();
    await world.clock.advance(20_000);
    const gaps = consumer.calls.slice(1).map(({ atMs }, index) => atMs - (consumer.calls[index]?.atMs ?? 0));
    expect(
      gaps.slice(0, 3).map((gap, index) => gap >= 1000 * 2 ** index && gap <= 2000 * 2 ** index),
    ).toEqual([true, true, true]);
    expect(new Set(idsAt(consumer))).toEqual(new Set([`${first}.1`]));
    expect(await world.read(id)).toMatchObject({
      failing_since: expect.any(String),
      dropped: 0,
      last_error: { revision: first, message: 'status 503' },
    });
    consumer.status = 204;
    await world.clock.advance(60_000);
    expect(idsAt(consumer).slice(-2)).toEqual([`${first}.1`, `${second}.1`]);
    expect(await world.read(id)).toMatchObject({ failing_since: null, dropped: 0, delivered: second });
    await term.end();
  });

  it('is given up after a while, which the subscription says, and the next one is tried', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = null;
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    const first = await world.exportVolume();
    await world.clock.advance(GIVE_UP_MS + 20_000);
    expect(await world.read(id)).toMatchObject({
      dropped: 1,
      delivered: first,
      last_error: { revision: first, message: 'timeout' },
    });
    consumer.status = 200;
    const second = await world.exportVolume();
    await world.clock.advance(2000);
    expect(idsAt(consumer).at(-1)).toBe(`${second}.1`);
    expect(await world.read(id)).toMatchObject({ dropped: 1, failing_since: null, delivered: second });
    await term.end();
  });

  it('that answers 410 ends the subscription', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = 410;
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    await world.exportVolume();
    await world.clock.advance(10);
    expect(await world.read(id)).toBeUndefined();
    await world.exportVolume();
    await world.clock.advance(10_000);
    expect(consumer.calls).toHaveLength(1);
    await term.end();
  });

  it('is not made any more when the subscription was deleted', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = 500;
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    await world.exportVolume();
    await world.clock.advance(10);
    await world.kv.transact({ compare: [], writes: [{ kind: 'delete', key: subscriptionKey(id) }] });
    await world.clock.advance(60_000);
    expect(consumer.calls).toHaveLength(1);
    expect(await world.read(id)).toBeUndefined();
    await term.end();
  });

  it('that is dead delays nobody else', async () => {
    const world = await createWorld();
    const dead: Consumer[] = [];
    for (let n = 0; n < 40; n += 1) {
      const consumer = await world.consume(`dead${n}`);
      consumer.status = null;
      dead.push(consumer);
      await world.subscribe(consumer, { id: `sdead${n}`.replace('sdead', 's').padEnd(17, 'd') });
    }
    const consumer = await world.consume('alive');
    await world.subscribe(consumer, { id: 's0000000000000001' });
    const term = await world.lead();
    await world.exportVolume();
    await world.clock.advance(30_000);
    expect(dead.every(({ calls }) => calls.length > 0)).toBe(true);
    for (let n = 0; n < 3; n += 1) {
      const revision = await world.exportVolume();
      await world.clock.advance(10);
      expect(idsAt(consumer).at(-1)).toBe(`${revision}.1`);
    }
    await term.end();
  });

  it('that succeeds slowly delays nobody who is quick', async () => {
    const world = await createWorld();
    const slow: Consumer[] = [];
    for (let n = 0; n < 100; n += 1) {
      const consumer = await world.consume(`slow${n}`);
      consumer.delayMs = 3000;
      slow.push(consumer);
      await world.subscribe(consumer, { id: `s${String(n).padStart(16, 'd')}` });
    }
    const quick = await world.consume('quick');
    await world.subscribe(quick, { id: 's0000000000000001' });
    const term = await world.lead();
    await world.exportVolume();
    // After the first event it is known who is slow.
    await world.clock.advance(60_000);
    expect(slow.every(({ calls }) => calls.length === 1)).toBe(true);
    for (let n = 0; n < 3; n += 1) {
      const revision = await world.exportVolume();
      await world.clock.advance(10);
      expect(idsAt(quick).at(-1)).toBe(`${revision}.1`);
    }
    await world.clock.advance(120_000);
    expect(slow.every(({ calls }) => calls.length === 4)).toBe(true);
    await term.end();
  });

  it('goes on when the common watch of the events has failed', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    await world.subscribe(consumer);
    const term = await world.lead();
    const first = await world.exportVolume();
    await world.clock.advance(10);
    world.failWatch();
    const second = await world.exportVolume();
    await world.clock.advance(10_000);
    expect(world.log.map(({ event }) => event)).toContain('events.feed-failed');
    expect([...new Set(idsAt(consumer))]).toEqual([`${first}.1`, `${second}.1`]);
    await term.end();
  });

  it('tells of a reset when its events are no longer kept', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    await world.subscribe(consumer);
    await world.exportVolume();
    const last = await world.exportVolume();
    world.store.compact(last);
    const term = await world.lead();
    // Of the leader's key; the notifier writes its cursor afterwards.
    const now = term.leadership.term;
    await world.clock.advance(10);
    expect(consumer.calls.map(({ body }) => body)).toMatchObject([
      {
        id: expect.stringMatching(`^${now}\\.reset\\.`),
        event: { kind: 'reset', reason: 'compacted', revision: now },
      },
    ]);
    const next = await world.exportVolume();
    await world.clock.advance(10);
    expect(idsAt(consumer).at(-1)).toBe(`${next}.1`);
    await term.end();
  });
});

describe('a leader', () => {
  it('goes on where the last one was: nothing is lost, and little is sent twice', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    await world.subscribe(consumer);
    const revisions: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const term = await world.lead(`i${turn}`);
      for (let n = 0; n < 25; n += 1) {
        revisions.push(await world.exportVolume());
        await world.clock.advance(n * 10);
      }
      await term.end();
      await world.depose();
      revisions.push(await world.exportVolume());
    }
    const last = await world.lead('last');
    await world.clock.advance(2000);
    const ids = idsAt(consumer);
    expect([...new Set(ids)]).toEqual(revisions.map((revision) => `${revision}.1`));
    expect(ids.length).toBeLessThan(revisions.length + 40);
    await last.end();
  });

  it('that was deposed without knowing it turns no cursor back', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    const id = await world.subscribe(consumer);
    const term = await world.lead();
    await world.depose();
    const before = await world.read(id);
    await world.exportVolume();
    await world.clock.advance(10_000);
    expect(consumer.calls).toHaveLength(1);
    expect(await world.read(id)).toEqual(before);
    await term.end();
  });

  it('writes cursors seldom when there is much to tell, and never when there is nothing', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    const id = await world.subscribe(consumer);
    await world.subscribe(consumer, { id: 's00000000000000ff', volumes: [OTHER] });
    const term = await world.lead();
    const before = world.store.revision;
    for (let n = 0; n < 400; n += 1) {
      await world.exportVolume();
      await world.clock.advance(10);
    }
    await world.clock.advance(2000);
    expect(idsAt(consumer)).toHaveLength(400);
    const writes = world.store.revision - before - 400;
    expect(writes).toBeGreaterThan(0);
    expect(writes).toBeLessThanOrEqual(7);
    const quiet = world.store.revision;
    await world.clock.advance(3_600_000);
    expect(world.store.revision).toBe(quiet);
    expect(await world.read(id)).toMatchObject({ delivered: expect.any(Number), dropped: 0 });
    await term.end();
  });

  it('writes a cursor now and then for who has nothing to be told, lest it be compacted', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    const id = await world.subscribe(consumer, { volumes: [OTHER] });
    const term = await world.lead();
    for (let n = 0; n < 501; n += 1) await world.exportVolume();
    await world.clock.advance(2000);
    expect((await world.read(id))?.delivered).toBeGreaterThan(500);
    await term.end();
  });

  it('logs neither secrets nor what a URL may hide', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = 500;
    await world.subscribe(consumer);
    const term = await world.lead();
    await world.exportVolume();
    await world.clock.advance(GIVE_UP_MS * 2);
    expect(world.log.map(({ event }) => event)).toEqual(['notify.failing', 'notify.dropped']);
    expect(JSON.stringify(world.log)).not.toMatch(new RegExp(`hidden|${SECRET}`));
    await term.end();
  });

  it('keeps no timer and no watch when its term is over', async () => {
    const world = await createWorld();
    const consumer = await world.consume('c1');
    consumer.status = null;
    await world.subscribe(consumer);
    const term = await world.lead();
    await world.exportVolume();
    await world.clock.advance(3000);
    await term.end();
    expect(world.clock.pendingTimers).toBe(0);
  });
});
