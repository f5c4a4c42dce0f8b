import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { campaign } from '../../../src/kv/election.ts';
import { LEADER_KEY } from '../../../src/kv/keys.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { openSession } from '../../../src/kv/session.ts';
import { createCuttable, createWorld, put, remove } from './support.ts';

type World = ReturnType<typeof createWorld>;

async function stand({ clock, random }: World, kv: Kv, node: string) {
  const session = await openSession({ kv, clock, ttlSeconds: 3 });
  const stop = new AbortController();
  const candidate = { node, instance: `${node}-1` };
  const outcome = campaign({ kv, clock, random, session, candidate, signal: stop.signal });
  outcome.catch(() => {});
  return { session, outcome, stop: () => stop.abort() };
}

describe('an election', () => {
  it('is won by the first, and then by the next as soon as the key is gone, without polling', async () => {
    const world = createWorld();
    const { store, clock } = world;
    const first = await (await stand(world, store.connect(), 'n1')).outcome;
    const waiting = await stand(world, store.connect(), 'n2');
    await clock.advance(20_000);
    expect(first.isLeader()).toBe(true);
    expect(first.fence()).toEqual({ key: LEADER_KEY, target: 'create', equals: first.term });
    await first.resign();
    await clock.settle();
    const next = await waiting.outcome;
    expect([first.isLeader(), next.isLeader()]).toEqual([false, true]);
    expect(next.term).toBeGreaterThan(first.term);
  });

  it('leaves no moment with two believers when the leader is cut off', async () => {
    const world = createWorld();
    const { store, clock } = world;
    const network = createCuttable(store.connect());
    const first = await (await stand(world, network.kv, 'n1')).outcome;
    const waiting = await stand(world, store.connect(), 'n2');
    const leaders = [first];
    waiting.outcome.then((leadership) => leaders.push(leadership));
    await clock.advance(1500);
    network.cut(true);
    for (let stepMs = 0; stepMs < 3000 && leaders.length === 1; stepMs += 10) {
      await clock.advance(10);
      expect(leaders.filter((leader) => leader.isLeader()).length).toBeLessThanOrEqual(1);
    }
    expect(leaders.map((leader) => leader.isLeader())).toEqual([false, true]);
    expect(first.lost.aborted).toBe(true);
  });

  it('recognises its own key when the answer to its creation was lost', async () => {
    const world = createWorld();
    let lose = true;
    const kv: Kv = {
      ...world.kv,
      transact: async (transaction) => {
        const result = await world.kv.transact(transaction);
        if (lose) {
          lose = false;
          throw new RigError('timeout', 'no answer', { definite: false });
        }
        return result;
      },
    };
    const { outcome, session } = await stand(world, kv, 'n1');
    await world.clock.advance(1000);
    const leadership = await outcome;
    const { kv: held } = await world.kv.get(LEADER_KEY);
    expect(held).toMatchObject({ createRevision: leadership.term, lease: session.leaseId, version: 1 });
  });

  it('is lost when the key is deleted or taken over', async () => {
    const world = createWorld();
    const { kv, clock } = world;
    const first = await (await stand(world, kv, 'n1')).outcome;
    await remove(kv, LEADER_KEY);
    await clock.settle();
    expect([first.lost.aborted, first.isLeader()]).toEqual([true, false]);
    const second = await (await stand(world, kv, 'n2')).outcome;
    await put(kv, LEADER_KEY, 'somebody else');
    await clock.settle();
    expect([second.lost.aborted, second.isLeader()]).toEqual([true, false]);
  });

  it('is not believed in after a stop of the process longer than the lease', async () => {
    const world = createWorld();
    const { outcome } = await stand(world, world.kv, 'n1');
    const leadership = await outcome;
    world.clock.freeze(3000);
    expect(leadership.isLeader()).toBe(false);
    expect(leadership.lost.aborted).toBe(true);
  });

  it('is waited for through an outage, but not beyond the session or the signal', async () => {
    const world = createWorld();
    const { store, clock } = world;
    const first = await (await stand(world, store.connect(), 'n1')).outcome;
    const patient = await stand(world, store.connect(), 'n2');
    store.setAvailable(false);
    await clock.advance(1000);
    store.setAvailable(true);
    await clock.advance(1000);
    expect(first.isLeader()).toBe(true);
    await first.resign();
    await clock.advance(1000);
    expect((await patient.outcome).isLeader()).toBe(true);

    const expiring = await stand(world, store.connect(), 'n3');
    const stopped = await stand(world, store.connect(), 'n4');
    await clock.settle();
    await expiring.session.close();
    await expect(expiring.outcome).rejects.toMatchObject({ code: 'not_found' });
    stopped.stop();
    await expect(stopped.outcome).rejects.toMatchObject({ code: 'aborted' });
  });
});
