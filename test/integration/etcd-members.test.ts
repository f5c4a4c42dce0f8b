// Cobalt, and the rig's recorder, on an etcd of three members that die in turn.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import { ROOT, volumeKey } from '../../src/kv/keys.ts';
import { openJournal } from '../../src/rig/journal.ts';
import { startRecorder } from '../../src/rig/recorder.ts';
import { clock, startCluster } from '../support/cluster.ts';
import { startEtcdCluster, type TestCluster } from '../support/etcd-cluster.ts';

jest.setTimeout(60_000);

let etcd: TestCluster;
beforeAll(async () => {
  etcd = await startEtcdCluster(3);
});
afterAll(async () => {
  await etcd?.[Symbol.asyncDispose]();
});

const connect = async (name: string) =>
  createEtcdKv({ endpoints: etcd.members.filter((each) => each.name === name).map((each) => each.endpoint) });

describe('the recorder while a member of etcd is frozen', () => {
  /** What is frozen is given up after 6 s of silence (kv/etcd.ts): whoever waits for it comes later than this. */
  const SEEN_WITHIN_MS = 3_000;

  it.each([0, 1, 2])('sees what the others commit, before member %i is given up', async (index) => {
    const member = etcd.members[index];
    if (member === undefined) throw new Error('there are three');
    const folder = mkdtempSync(join(tmpdir(), 'recorder-'));
    const others = etcd.members.filter((each) => each !== member).map(({ endpoint }) => endpoint);
    const kv = createEtcdKv({ endpoints: others });
    const journal = openJournal({ clock, folder });
    const members = etcd.members.map(({ name }) => name);
    const recorder = startRecorder({ clock, journal, members, connect });
    /** While a leader is frozen it takes an election until a write is answered. */
    const put = (value: string) =>
      waitFor({
        clock,
        what: `writing ${value}`,
        timeoutMs: 10_000,
        probe: () => kv.transact({ compare: [], writes: [{ kind: 'put', key: volumeKey('seen'), value }] }),
      });
    try {
      await recorder.caughtUp((await put('before')).revision, 10_000);
      await member.pause();
      const { revision } = await put('while it is frozen');
      await recorder.caughtUp(revision, SEEN_WITHIN_MS);
    } finally {
      await member.unpause();
      await recorder[Symbol.asyncDispose]();
      await kv.close();
      journal[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    }
    await Promise.all(etcd.members.map((each) => each.answers()));
  });
});

describe('while the members of etcd die in turn', () => {
  it('the recorder sees every event exactly once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recorder-'));
    const kv = createEtcdKv({ endpoints: etcd.endpoints });
    const put = (value: string) =>
      waitFor({
        clock,
        what: `writing ${value}`,
        timeoutMs: 10_000,
        probe: () =>
          kv.transact({ compare: [], writes: [{ kind: 'put', key: volumeKey('recorded'), value }] }),
      });
    const journal = openJournal({ clock, folder });
    const recorder = startRecorder({
      clock,
      journal,
      members: etcd.members.map(({ name }) => name),
      connect,
    });
    try {
      for (const [index, member] of etcd.members.entries()) {
        await put(`${index} before`);
        await member.kill();
        const { revision } = await put(`${index} after`);
        await recorder.caughtUp(revision, 10_000);
        await member.start();
        await Promise.all(etcd.members.map((each) => each.answers()));
      }
      const { revision } = await put('end');
      await recorder.caughtUp(revision, 10_000);
      expect(recorder.complete()).toBe(true);
      const seen: string[] = [];
      const stop = new AbortController();
      for await (const batch of kv.watch({ prefix: ROOT, fromRevision: 1, signal: stop.signal })) {
        for (const event of batch.events) if (event.kind === 'put') seen.push(event.kv.value);
        if (batch.revision >= revision) break;
      }
      expect(journal.etcd.map((event) => (event.kind === 'put' ? event.value : 'deleted'))).toEqual(seen);
      expect(new Set(seen)).toContain('2 after');
    } finally {
      await recorder[Symbol.asyncDispose]();
      journal[Symbol.dispose]();
      await kv.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('volumes are created, whichever of them is down', async () => {
    await using cluster = await startCluster({
      connect: () => createEtcdKv({ endpoints: etcd.endpoints }),
      nodes: { a: {}, b: {} },
    });
    await cluster.create('a');
    // The follower's death is nothing that a client need notice; the leader's costs an election.
    const leader = await etcd.leader();
    const victims = [...etcd.members.filter((member) => member !== leader), leader];
    for (const victim of victims) {
      await victim.kill();
      await waitFor({
        clock,
        what: 'a volume to be created',
        timeoutMs: 20_000,
        probe: () => cluster.create('b'),
      });
      await victim.start();
      await Promise.all(etcd.members.map((each) => each.answers()));
    }
    expect((await cluster.kv.list(volumeKey(''))).kvs.length).toBeGreaterThanOrEqual(4);
  });
});
