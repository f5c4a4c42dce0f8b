import { describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { campaign, type Leadership } from '../../src/kv/election.ts';
import { LEADER_KEY } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { openSession, type Session } from '../../src/kv/session.ts';
import { BACKENDS, type Backend, clock, freshPrefix, random, remove, shareBackend } from './kv-backends.ts';

const TTL_SECONDS = 2;

interface Candidate {
  readonly kv: Kv;
  readonly session: Session;
  readonly leadership: Promise<Leadership>;
  /** As a crash would: renewals stop, nothing is revoked. */
  crash(): Promise<void>;
}

describe.each(BACKENDS)('an election on $name', ({ open }) => {
  let backend: Backend;
  let observer: Kv;

  shareBackend(open, (opened) => {
    ({ backend, kv: observer } = opened);
  });

  const stand = async (node: string): Promise<Candidate> => {
    const kv = backend.connect();
    const session = await openSession({ kv, clock, ttlSeconds: TTL_SECONDS });
    const candidate = { node, instance: `${node}-1` };
    const stop = new AbortController();
    const leadership = campaign({ kv, clock, random, session, candidate, signal: stop.signal });
    leadership.catch(() => {});
    return { kv, session, leadership, crash: () => kv.close() };
  };
  const retire = async ({ kv, session }: Candidate): Promise<void> => {
    await session.close();
    await kv.close();
  };

  it('has one leader at a time, whose resignation lets the next one lead at once', async () => {
    const first = await stand('n1');
    const leadership = await first.leadership;
    expect(leadership.isLeader()).toBe(true);
    const { kv: held } = await observer.get(LEADER_KEY);
    expect(held).toMatchObject({ createRevision: leadership.term, lease: first.session.leaseId });
    expect(JSON.parse(held?.value ?? '')).toMatchObject({ node: 'n1', instance: 'n1-1' });

    const second = await stand('n2');
    await leadership.resign();
    expect(leadership.isLeader()).toBe(false);
    const next = await second.leadership;
    // The lease that the first led on lives: nobody had to wait for its end.
    expect(await observer.listLeases()).toContain(first.session.leaseId);
    expect(next.term).toBeGreaterThan(leadership.term);
    await retire(first);
    expect(next.isLeader()).toBe(true);
    await retire(second);
  }, 15_000);

  it('replaces a leader that crashed within one TTL and a second', async () => {
    const first = await stand('n1');
    const old = await first.leadership;
    const second = await stand('n2');
    const crashedMs = clock.monotonicMs();
    await first.crash();
    const next = await second.leadership;
    expect(clock.monotonicMs() - crashedMs).toBeLessThan(TTL_SECONDS * 1000 + 1000);
    expect(old.isLeader()).toBe(false);
    expect(next.term).toBeGreaterThan(old.term);
    await retire(second);
  }, 15_000);

  it('refuses the writes of a deposed leader, and tells it', async () => {
    const key = `${freshPrefix()}volume`;
    const first = await stand('n1');
    const old = await first.leadership;
    const write = (kv: Kv, { fence }: Leadership, value: string) =>
      kv.transact({ compare: [fence()], writes: [{ kind: 'put', key, value }] });
    expect((await write(first.kv, old, 'as leader')).succeeded).toBe(true);

    await remove(observer, LEADER_KEY);
    const second = await stand('n2');
    const next = await second.leadership;
    expect((await write(first.kv, old, 'too late')).succeeded).toBe(false);
    expect((await write(second.kv, next, 'as the next leader')).succeeded).toBe(true);
    expect((await observer.get(key)).kv?.value).toBe('as the next leader');
    await waitFor({
      clock,
      what: 'the deposed leader to notice',
      timeoutMs: 2000,
      probe: async () => (old.lost.aborted ? true : undefined),
    });
    expect(first.session.isValid()).toBe(true);
    await retire(first);
    await retire(second);
  }, 15_000);

  it('ends a leadership by the lease alone while the store is gone, and elects again after it', async () => {
    const first = await stand('n1');
    const old = await first.leadership;
    await backend.stop();
    const stoppedMs = clock.monotonicMs();
    // A renewal sent before the stop may still be answered after it; none is sent later.
    const latestMs = stoppedMs + TTL_SECONDS * 1000;
    await clock.sleep(Math.max(0, latestMs - clock.monotonicMs()) + 1);
    expect(first.session.validUntilMs).toBeLessThanOrEqual(latestMs);
    expect(old.isLeader()).toBe(false);
    expect(old.lost.aborted).toBe(true);
    await backend.start();
    await first.kv.close();
    const second = await stand('n2');
    const next = await second.leadership;
    expect(next.term).toBeGreaterThan(old.term);
    await retire(second);
  }, 30_000);
});
