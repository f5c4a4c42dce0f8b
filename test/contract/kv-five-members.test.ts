// A client of five etcd members: two of them may die, and a third stops everything until it is back.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import { openSession } from '../../src/kv/session.ts';
import { startEtcdCluster, type TestMember } from '../support/etcd-cluster.ts';
import { CALL_MS, clock, elapsedMs, freshPrefix, put } from './kv-backends.ts';
import { follow } from './kv-follower.ts';

/** A new leader is elected within 1-2 s of the old one's end (etcd's election timeout). */
const ELECTION_MS = 5000;
/** Longer than all that happens here: whether renewals come in time under load is another test's. */
const TTL_SECONDS = 60;

it('two of five members die and all goes on; without a third nothing does, until it is back', async () => {
  await using cluster = await startEtcdCluster(5);
  const prefix = freshPrefix();
  const leader = await cluster.leader();
  const [second, third, ...others] = cluster.members.filter((member) => member !== leader) as [
    TestMember,
    TestMember,
    ...TestMember[],
  ];
  // Those it would ask first are those that die.
  const endpoints = [leader, second, third, ...others].map(({ endpoint }) => endpoint);
  await using kv = closing(createEtcdKv({ endpoints }));
  const session = await openSession({ kv, clock, ttlSeconds: TTL_SECONDS });
  const leased = await put(kv, `${prefix}leased`, 'v', session.leaseId);
  const follower = follow(kv, prefix);
  await follower.following();
  const goesOn = async (value: string, timeoutMs: number): Promise<void> => {
    const within = (what: string, call: () => Promise<unknown>) => works(what, timeoutMs, call);
    await within(`writing ${value}`, () => put(kv, `${prefix}a`, value));
    await Promise.all([
      within('a read', async () => expect((await kv.get(`${prefix}a`)).kv?.value).toBe(value)),
      within('a renewal', async () => expect(await kv.keepLeaseAlive(session.leaseId)).toBe(TTL_SECONDS)),
      follower.untilSeen(value, timeoutMs),
    ]);
  };

  await goesOn('with five', CALL_MS);
  await Promise.all([leader.kill(), second.kill()]);
  await goesOn('with three', ELECTION_MS);

  await third.kill();
  const failure = { code: expect.stringMatching(/^(unavailable|timeout)$/) };
  const calls = [kv.get(prefix), kv.list(prefix), put(kv, `${prefix}a`, 'with two'), kv.grantLease(5)];
  const failures = calls.map((call) => expect(call).rejects.toMatchObject(failure));
  expect(await elapsedMs(Promise.all(failures))).toBeLessThan(CALL_MS);

  await third.start();
  await goesOn('with three again', 2 * ELECTION_MS);
  await Promise.all([leader.start(), second.start()]);
  await Promise.all(cluster.members.map((member) => member.answers()));
  await goesOn('with five again', CALL_MS);
  // Nothing was lost on the way: neither an event, nor the lease.
  expect(follower.seen.snapshots).toEqual(['first']);
  expect(session.isValid()).toBe(true);
  expect((await kv.get(`${prefix}leased`)).kv?.modRevision).toBe(leased);
  await follower.end();
  await session.close();
}, 60_000);

const works = (what: string, timeoutMs: number, call: () => Promise<unknown>): Promise<unknown> =>
  waitFor({ clock, what, timeoutMs, intervalMs: 20, probe: async () => (await call()) ?? true });

function closing<T extends { close(): Promise<void> }>(kv: T): T & AsyncDisposable {
  return Object.assign(kv, { [Symbol.asyncDispose]: () => kv.close() });
}
