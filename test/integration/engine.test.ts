// What the engine does to etcd: election, scheduling, fencing.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { LEADER_KEY, nodeKey, volumeKey } from '../../src/kv/keys.ts';
import { clock, LEASE_TTL_SECONDS, type TestCluster } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const leaderOf = (cluster: TestCluster, not?: string): Promise<string> =>
  waitFor({
    clock,
    what: 'a leader',
    timeoutMs: 10_000,
    intervalMs: 10,
    probe: async () => {
      const { kv } = await cluster.kv.get(LEADER_KEY);
      const node = kv === undefined ? undefined : (JSON.parse(kv.value).node as string);
      return node === not ? undefined : node;
    },
  });
const other = (node: string): string => (node === 'a' ? 'b' : 'a');

onEveryStore('the engine', ({ start }) => {
  it('spreads volumes over nodes that satisfy their constraints, and never overcommits', async () => {
    await using cluster = await start({
      a: { capacityGib: 3, labels: { disk: 'ssd' } },
      b: { capacityGib: 2 },
      c: { roles: ['agent'], capacityGib: 2 },
    });
    // A node that came late would be given what others have too much of.
    await Promise.all(['a', 'b', 'c'].map((name) => cluster.logged(name, 'agent.registered')));
    const ids = await Promise.all(
      Array.from({ length: 9 }, async () => {
        const { json } = await cluster
          .node('b')
          .call('POST', '/volumes', { name: 'x', requested: { reserved_size: 1 } });
        return json.id as string;
      }),
    );
    const settled = await waitFor({
      clock,
      what: 'seven volumes to be ready and two to wait',
      timeoutMs: 10_000,
      probe: async () => {
        const volumes = await Promise.all(ids.map((id) => cluster.volume(id)));
        const waiting = volumes.filter(
          (volume) => volume?.state === 'scheduling' && volume.control.error !== null,
        );
        const ready = volumes.filter((volume) => volume?.state === 'ready');
        return ready.length === 7 && waiting.length === 2 ? { ready, waiting } : undefined;
      },
    });
    const on = (name: string) => settled.ready.filter((volume) => volume?.node === name).length;
    expect([on('a'), on('b'), on('c')]).toEqual([3, 2, 2]);
    expect(settled.waiting[0]?.control.error).toMatch(/has 1 GiB free/);
    // Space that comes free is given to whoever waits.
    await cluster.node('a').call('DELETE', `/volumes/${settled.ready[0]?.id}`);
    await cluster.until(
      settled.waiting[0]?.id ?? '',
      'the first in line to be ready',
      (volume) => volume?.state === 'ready',
    );
  });

  it('gives a volume whose agent died before creating it to another', async () => {
    await using cluster = await start({ a: { roles: ['api', 'engine'] }, b: { roles: ['agent'] } });
    await cluster.logged('b', 'agent.registered');
    // It has registered, but hears and does nothing more.
    cluster.node('b').link('agent').pause();
    const { json } = await cluster
      .node('a')
      .call('POST', '/volumes', { name: 'x', requested: { reserved_size: 1 } });
    await cluster.until(json.id, 'the dead node', (volume) => volume?.node === 'b');
    await cluster.node('a').start('agent');
    const moved = await cluster.until(json.id, 'another node', (volume) => volume?.state === 'ready');
    expect(moved.node).toBe('a');
    const since = cluster.node('b').log.length;
    cluster.node('b').link('agent').resume();
    await cluster.logged('b', 'agent.registered', since);
    expect([...cluster.node('b').storage.disk.subvolumes.keys()]).toEqual([]);
    expect((await cluster.volume(json.id))?.node).toBe('a');
  });

  it('is followed within a lease when killed, and without waiting for the lease when stopped', async () => {
    await using cluster = await start({ a: {}, b: {} });
    const first = await leaderOf(cluster);
    await cluster.logged(first, 'agent.registered');
    const agentLease = (await cluster.kv.get(nodeKey(first))).kv?.lease;
    await cluster.node(first).kill('engine');
    const killedMs = clock.monotonicMs();
    const second = await leaderOf(cluster, first);
    expect(second).toBe(other(first));
    expect(clock.monotonicMs() - killedMs).toBeLessThan((LEASE_TTL_SECONDS + 1) * 1000);
    await cluster.create(first);
    expect((await cluster.kv.get(nodeKey(first))).kv?.lease).toBe(agentLease);
    await cluster.node(first).start('engine');
    const lease = (await cluster.kv.get(LEADER_KEY)).kv?.lease ?? '';
    await cluster.node(second).stop('engine');
    // It has given up its lease; nobody has to wait for that to run out.
    expect(await cluster.kv.listLeases()).not.toContain(lease);
    expect(await leaderOf(cluster, second)).toBe(first);
  });

  it('cannot write when it was paused through the end of its lease', async () => {
    await using cluster = await start({ a: { roles: ['api', 'engine', 'agent'] }, b: { roles: ['engine'] } });
    const first = await leaderOf(cluster);
    await cluster.logged('a', 'agent.registered');
    const former = cluster.node(first);
    const link = former.link('engine');
    // Its write is on its way, and nothing of it gets through any more.
    link.pause();
    const { json } = await cluster
      .node('a')
      .call('POST', '/volumes', { name: 'x', requested: { reserved_size: 1 } });
    await waitFor({
      clock,
      what: 'a held write',
      timeoutMs: 5000,
      probe: async () => (link.held > 0 ? true : undefined),
    });
    await leaderOf(cluster, first);
    const done = await cluster.until(
      json.id,
      'the new leader to serve',
      (volume) => volume?.state === 'ready',
    );
    const revision = (await cluster.kv.get(volumeKey(json.id))).kv?.modRevision;
    await cluster.logged(first, 'engine.deposed');
    link.resume();
    await cluster.logged(first, 'engine.fenced');
    expect((await cluster.kv.get(volumeKey(json.id))).kv?.modRevision).toBe(revision);
    expect(await cluster.volume(json.id)).toEqual(done);
  });

  it('drops a doomed volume that is nowhere', async () => {
    await using cluster = await start({ a: { roles: ['api', 'engine'] } });
    const { json } = await cluster
      .node('a')
      .call('POST', '/volumes', { name: 'x', requested: { reserved_size: 1 } });
    const waiting = await cluster.until(json.id, 'a reason', (volume) => volume?.control.error !== null);
    expect(waiting.control.error).toMatch(/no live node/);
    await cluster.kv.transact({
      compare: [],
      writes: [
        { kind: 'put', key: volumeKey(json.id), value: JSON.stringify({ ...waiting, state: 'deleting' }) },
      ],
    });
    await cluster.until(json.id, 'its key to be gone', (volume) => volume === undefined);
  });

  it('retries what failed', async () => {
    await using cluster = await start({ a: {} });
    await cluster.logged('a', 'agent.registered');
    cluster.node('a').storage.failNext('create');
    const { json } = await cluster
      .node('a')
      .call('POST', '/volumes', { name: 'x', requested: { reserved_size: 1 } });
    const failed = await cluster.until(json.id, 'the failure', (volume) => volume?.state === 'error');
    expect(failed.control).toMatchObject({ error_count: 1, error: expect.stringContaining('create failed') });
    const ready = await cluster.until(json.id, 'the second try', (volume) => volume?.state === 'ready');
    expect(ready.control).toMatchObject({ error_count: 0, error: null });
  });
});
