import { describe, expect, it } from '@jest/globals';
import { openSession } from '../../../src/kv/session.ts';
import { createCuttable, createWorld } from './support.ts';

describe('a session', () => {
  it('keeps its lease for as long as the store answers', async () => {
    const { kv, clock } = createWorld();
    const session = await openSession({ kv, clock, ttlSeconds: 3 });
    await clock.advance(60_000);
    expect(session.isValid()).toBe(true);
    expect(await kv.listLeases()).toEqual([session.leaseId]);
    await session.close();
    expect(session.expired.aborted).toBe(true);
    expect(await kv.listLeases()).toEqual([]);
    await clock.advance(3000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends before the server ends it, when the network is cut', async () => {
    const { kv, clock } = createWorld();
    const network = createCuttable(kv);
    const session = await openSession({ kv: network.kv, clock, ttlSeconds: 3 });
    await clock.advance(1500);
    network.cut(true);
    expect(session.validUntilMs).toBe(4000);
    await clock.advance(2499);
    expect([session.isValid(), session.expired.aborted]).toEqual([true, false]);
    await clock.advance(1);
    expect([session.isValid(), session.expired.aborted]).toEqual([false, true]);
  });

  it('survives a cut that is shorter than what is left of the TTL', async () => {
    const { kv, clock } = createWorld();
    const network = createCuttable(kv);
    const session = await openSession({ kv: network.kv, clock, ttlSeconds: 3 });
    for (let round = 0; round < 5; round += 1) {
      network.cut(true);
      await clock.advance(1600);
      network.cut(false);
      await clock.advance(1000);
    }
    expect(session.isValid()).toBe(true);
    expect(await kv.listLeases()).toEqual([session.leaseId]);
  });

  it('counts from when a renewal was sent, not from when its answer came', async () => {
    const { kv, clock } = createWorld();
    const slow = {
      ...kv,
      keepLeaseAlive: async (leaseId: string) => {
        const ttlSeconds = await kv.keepLeaseAlive(leaseId);
        await clock.sleep(700);
        return ttlSeconds;
      },
    };
    const session = await openSession({ kv: slow, clock, ttlSeconds: 3 });
    await clock.advance(1700);
    expect(session.validUntilMs).toBe(4000);
  });

  it('sends another renewal when one is never answered', async () => {
    const { kv, clock } = createWorld();
    let calls = 0;
    const deaf = {
      ...kv,
      keepLeaseAlive: (leaseId: string): Promise<number> => {
        calls += 1;
        return calls === 1 ? new Promise(() => {}) : kv.keepLeaseAlive(leaseId);
      },
    };
    const session = await openSession({ kv: deaf, clock, ttlSeconds: 3 });
    await clock.advance(10_000);
    expect(session.isValid()).toBe(true);
  });

  it('ends at once when the server does not know the lease any more', async () => {
    const { kv, clock } = createWorld();
    const session = await openSession({ kv, clock, ttlSeconds: 9 });
    await kv.revokeLease(session.leaseId);
    await clock.advance(3000);
    expect(session.expired.aborted).toBe(true);
  });

  it('is known to be over in the first moment after the process was stopped for too long', async () => {
    const { kv, clock } = createWorld();
    const session = await openSession({ kv, clock, ttlSeconds: 3 });
    clock.freeze(2999);
    expect(session.isValid()).toBe(true);
    clock.freeze(1);
    // No timer has rung yet.
    expect(session.isValid()).toBe(false);
    expect(session.expired.aborted).toBe(true);
  });

  it('leaves the lease to run out when its signal fires', async () => {
    const { kv, clock } = createWorld();
    const stop = new AbortController();
    const session = await openSession({ kv, clock, ttlSeconds: 3, signal: stop.signal });
    stop.abort();
    expect(session.isValid()).toBe(false);
    expect(await kv.listLeases()).toEqual([session.leaseId]);
    await clock.advance(3000);
    expect(await kv.listLeases()).toEqual([]);
  });
});
