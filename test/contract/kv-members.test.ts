// A client of several etcd members, of which some die, freeze or are cut off.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hasCode } from '../../src/base/errors.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import { followPrefix } from '../../src/kv/follow.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { openSession } from '../../src/kv/session.ts';
import { startEtcdCluster, type TestCluster, type TestMember } from '../support/etcd-cluster.ts';
import { CALL_MS, clock, collectBatches, elapsedMs, freshPrefix, put, random } from './kv-backends.ts';
import { follow } from './kv-follower.ts';

/** A new leader is elected within 1-2 s of the old one's end (etcd's election timeout), on a busy machine later. */
const ELECTION_MS = 10_000;
/** Of sessions that have to outlive an election: a renewal falls due each third of it. */
const TTL_SECONDS = 20;

let cluster: TestCluster;
let prefix: string;
const clients: Kv[] = [];

beforeAll(async () => {
  cluster = await startEtcdCluster(3);
}, 60_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 30_000);
beforeEach(() => {
  prefix = freshPrefix();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((kv) => kv.close()));
  // What a test that failed has left frozen or dead, which the engine refuses to do to others.
  for (const member of cluster.members) {
    await member.unpause().catch(() => undefined);
    await member.start().catch(() => undefined);
  }
  await revive();
}, 60_000);

/** A client whose first choice is this member. */
function connectTo(member: TestMember): Kv {
  const others = cluster.endpoints.filter((endpoint) => endpoint !== member.endpoint);
  const kv = createEtcdKv({ endpoints: [member.endpoint, ...others] });
  clients.push(kv);
  return kv;
}

async function aFollower(): Promise<TestMember> {
  const leader = await cluster.leader();
  return cluster.members.find((member) => member !== leader) as TestMember;
}

const works = (what: string, timeoutMs: number, call: () => Promise<unknown>): Promise<unknown> =>
  waitFor({ clock, what, timeoutMs, intervalMs: 20, probe: async () => (await call()) ?? true });

async function revive(...members: readonly TestMember[]): Promise<void> {
  await Promise.all(members.map((member) => member.start()));
  await Promise.all(cluster.members.map((member) => member.answers()));
}

describe('the member that a client is connected to dies', () => {
  it.each(['follower', 'leader'] as const)(
    'a %s: reads, writes, renewals and watches go on with another',
    async (which) => {
      const victim = which === 'leader' ? await cluster.leader() : await aFollower();
      const kv = connectTo(victim);
      const session = await openSession({ kv, clock, ttlSeconds: TTL_SECONDS });
      await put(kv, `${prefix}leased`, 'v', session.leaseId);
      const follower = follow(kv, prefix);
      await follower.following();
      await put(kv, `${prefix}a`, 'before');
      await follower.untilSeen('before', 5000);

      const limitMs = which === 'leader' ? ELECTION_MS : CALL_MS;
      await victim.kill();
      const reading = works('a read', limitMs, () => kv.get(`${prefix}a`));
      const writing = works('a write', limitMs, () => put(kv, `${prefix}a`, 'after'));
      const renewing = works('a renewal', limitMs, () => kv.keepLeaseAlive(session.leaseId));
      await Promise.all([reading, writing, renewing]);
      await follower.untilSeen('after', limitMs);
      expect(session.isValid()).toBe(true);
      expect((await kv.get(`${prefix}leased`)).kv?.lease).toBe(session.leaseId);
      expect(follower.seen.snapshots).toEqual(['first']);
      await follower.end();
      await session.close();
      await revive(victim);
    },
    40_000,
  );

  it('one after the other: a watch loses and repeats nothing, and a lease lives through it', async () => {
    const [first] = cluster.members as [TestMember];
    const kv = connectTo(first);
    const writer = connectTo(first);
    const session = await openSession({ kv, clock, ttlSeconds: TTL_SECONDS });
    const leased = await put(kv, `${prefix}leased`, 'v', session.leaseId);
    const follower = follow(kv, prefix);
    await follower.following();

    let stopped = false;
    const acknowledged: number[] = [];
    const writing = (async () => {
      for (let count = 0; !stopped; count += 1) {
        await put(writer, `${prefix}${count % 7}`, String(count))
          .then((revision) => acknowledged.push(revision))
          .catch((error: unknown) => {
            if (!hasCode(error, 'unavailable', 'timeout')) throw error;
          });
      }
    })();
    for (const victim of cluster.members) {
      const before = acknowledged.length;
      await victim.kill();
      await works('writes to go on', ELECTION_MS, async () => {
        if (acknowledged.length <= before + 20) throw new Error(`${acknowledged.length - before} since`);
      });
      await revive(victim);
    }
    stopped = true;
    await writing;
    const last = await put(kv, `${prefix}end`, 'end');
    await follower.untilSeen('end', 5000);
    await follower.end();

    const range = { prefix, fromRevision: follower.seen.first + 1, untilRevision: last };
    const truth = (await collectBatches(kv, range)).flatMap(({ events }) => events);
    expect(follower.seen.events).toEqual(truth);
    const revisions = new Set(truth.map((event) => (event.kind === 'put' ? event.kv.modRevision : 0)));
    expect(acknowledged.filter((revision) => !revisions.has(revision))).toEqual([]);
    expect(follower.seen.snapshots).toEqual(['first']);
    expect(session.isValid()).toBe(true);
    expect((await kv.get(`${prefix}leased`)).kv?.modRevision).toBe(leased);
    await session.close();
  }, 90_000);
});

it('a compaction while the watch was away leads to a new snapshot', async () => {
  const [first] = cluster.members as [TestMember];
  const kv = connectTo(first);
  const stop = new AbortController();
  const reasons: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done = followPrefix({
    kv,
    clock,
    random,
    prefix,
    signal: stop.signal,
    onSnapshot: ({ reason, kvs }) => {
      reasons.push([reason, ...kvs.map(({ value }) => value)].join(' '));
    },
    // A handler that takes its time: what comes meanwhile waits.
    onBatch: ({ events }) => (events.length > 0 ? held : undefined),
  });
  await works('the snapshot', 5000, async () => {
    if (reasons.length === 0) throw new Error('none');
  });
  await put(kv, `${prefix}a`, '1');
  await first.kill();
  const others = connectTo(cluster.members[1] as TestMember);
  await works('a write', ELECTION_MS, () => put(others, `${prefix}a`, '2'));
  const last = await put(others, `${prefix}a`, '3');
  await (cluster.members[1] as TestMember).exec(['etcdctl', 'compaction', String(last)]);
  release();
  await works('the second snapshot', 5000, async () => {
    if (reasons.length < 2) throw new Error('none');
  });
  expect(reasons).toEqual(['first', 'compacted 3']);
  stop.abort();
  await done;
  await revive(first);
}, 40_000);

it('without a quorum every call fails in time, and all is well once it is back', async () => {
  const [survivor, ...victims] = cluster.members as [TestMember, TestMember, TestMember];
  const kv = connectTo(survivor);
  const lease = await kv.grantLease(60);
  const follower = follow(kv, prefix);
  await follower.following();
  await Promise.all(victims.map((victim) => victim.kill()));
  const failure = { code: expect.stringMatching(/^(unavailable|timeout)$/) };
  for (let round = 0; round < 2; round += 1) {
    const calls = [
      kv.get(prefix),
      kv.list(prefix),
      put(kv, `${prefix}a`, 'lost'),
      kv.grantLease(5),
      kv.keepLeaseAlive(lease.id),
    ].map((call) => expect(call).rejects.toMatchObject(failure));
    expect(await elapsedMs(Promise.all(calls))).toBeLessThan(CALL_MS);
  }
  await revive(...victims);
  await works('a write', ELECTION_MS, () => put(kv, `${prefix}a`, 'after'));
  await follower.untilSeen('after', 5000);
  expect(await kv.keepLeaseAlive(lease.id)).toBe(60);
  await follower.end();
}, 60_000);

it('a frozen member holds up no call beyond its deadline, and no watch much longer', async () => {
  const victim = await aFollower();
  const kv = connectTo(victim);
  const session = await openSession({ kv, clock, ttlSeconds: TTL_SECONDS });
  const follower = follow(kv, prefix);
  await follower.following();
  await put(kv, `${prefix}a`, 'before');
  await follower.untilSeen('before', 5000);
  await victim.pause();
  const sinceMs = clock.monotonicMs();
  // Reads move on within the deadline; a write that may have arrived is not sent twice.
  expect(await elapsedMs(kv.get(`${prefix}a`))).toBeLessThan(CALL_MS);
  expect((await kv.get(`${prefix}a`)).kv?.value).toBe('before');
  await put(kv, `${prefix}a`, 'after');
  await follower.untilSeen('after', 6000);
  expect(clock.monotonicMs() - sinceMs).toBeLessThan(6000);
  await works('a renewal', CALL_MS, () => kv.keepLeaseAlive(session.leaseId));
  expect(session.isValid()).toBe(true);
  await victim.unpause();
  await follower.end();
  await session.close();
  await revive();
}, 40_000);

it.each(['follower', 'leader'] as const)(
  'a %s that was cut off never answers with old data',
  async (which) => {
    const stale = which === 'leader' ? await cluster.leader() : await aFollower();
    const majority = cluster.members.filter((member) => member !== stale);
    const atStale = createEtcdKv({ endpoints: [stale.endpoint] });
    clients.push(atStale);
    const writer = connectTo(majority[0] as TestMember);
    await put(writer, `${prefix}a`, '0');
    expect((await atStale.get(`${prefix}a`)).kv?.value).toBe('0');

    let acknowledged = 0;
    let [answered, refused] = [0, 0];
    const old: string[] = [];
    let stopped = false;
    const reading = (async () => {
      while (!stopped) {
        const known = acknowledged;
        const value = await atStale.get(`${prefix}a`).then(
          ({ kv }) => kv?.value,
          () => undefined,
        );
        if (value === undefined) refused += 1;
        else answered += 1;
        if (value !== undefined && Number(value) < known) old.push(`${value} after ${known}`);
      }
    })();
    await stale.isolate();
    await cluster.leader(majority);
    for (let count = 1; count <= 50; count += 1) {
      await works('a write', ELECTION_MS, () => put(writer, `${prefix}a`, String(count)));
      acknowledged = count;
    }
    // It is asked in vain at least once before it may catch up.
    await works('a refusal', CALL_MS * 2, async () => {
      if (refused === 0) throw new Error(`${answered} answers`);
    });
    // It has old data, and gives it to who doesn't mind.
    const command = ['etcdctl', 'get', '--consistency=s', '--print-value-only', `${prefix}a`];
    expect(Number(await stale.exec(command))).toBeLessThan(50);
    await stale.rejoin();
    await works('it to answer again', ELECTION_MS * 2, async () => {
      const { kv } = await atStale.get(`${prefix}a`);
      if (kv?.value !== '50') throw new Error(`it says ${kv?.value}`);
    });
    stopped = true;
    await reading;
    expect(old).toEqual([]);
  },
  60_000,
);
