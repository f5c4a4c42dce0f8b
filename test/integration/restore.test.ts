// etcd restored from a backup with etcd's own tools: what came after the backup
// is gone from the store, and must not be taken from the nodes' disks for that.

import { describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { followPrefix } from '../../src/kv/follow.ts';
import { diskKey, nodeKey, ROOT, volumeKey } from '../../src/kv/keys.ts';
import { clock, random, startCluster, type TestNode } from '../support/cluster.ts';
import { onRestorableEtcd } from './restorable.ts';

jest.setTimeout(40_000);

const { etcd, connect } = onRestorableEtcd();

const subvolumesOf = (node: TestNode): readonly string[] => [...node.storage.disk.subvolumes.keys()].sort();

/** Resolves when the agent has looked so many times more whether the disk belongs to this store. */
async function checks(node: TestNode, count: number): Promise<void> {
  let seen = 0;
  const { binding } = node.storage;
  node.storage.binding = async () => {
    seen += 1;
    return binding();
  };
  await waitFor({
    clock,
    what: `${count} looks at the store`,
    timeoutMs: 10_000,
    intervalMs: 10,
    probe: async () => seen >= count || undefined,
  });
  node.storage.binding = binding;
}

describe('an etcd that was restored from a backup', () => {
  it('has gone back in time, under the same cluster id, and a follower is told', async () => {
    const kv = connect();
    const reasons: string[] = [];
    const stop = new AbortController();
    const following = followPrefix({
      kv,
      clock,
      random,
      prefix: ROOT,
      signal: stop.signal,
      onSnapshot: ({ reason, kvs }) => {
        reasons.push([reason, ...kvs.map(({ value }) => value)].join(' '));
      },
      onBatch: () => {},
    });
    const put = (value: string) =>
      kv.transact({ compare: [], writes: [{ kind: 'put', key: volumeKey('a'), value }] });
    await put('kept');
    const backup = await etcd().backUp();
    const lost = await put('lost');
    await put('lost too');
    await etcd().restore(backup);
    const restored = await waitFor({
      clock,
      what: 'etcd to answer',
      timeoutMs: 5000,
      probe: () => kv.get(volumeKey('a')),
    });
    expect(restored).toMatchObject({ clusterId: lost.clusterId, kv: { value: 'kept' } });
    expect(restored.revision).toBeLessThan(lost.revision);
    await waitFor({
      clock,
      what: 'the follower to be told',
      timeoutMs: 5000,
      probe: async () => reasons.length > 1 || undefined,
    });
    expect(reasons.at(-1)).toBe('replaced kept');
    stop.abort();
    await following;
    await kv.close();
  });

  it.each([
    ['that lived through it', false],
    ['that was started after it, when the revisions had caught up', true],
  ])('is refused by an agent %s', async (_, isRestarted) => {
    await using cluster = await startCluster({ connect, nodes: { a: {} } });
    const node = cluster.node('a');
    const kept = await cluster.create('a');
    const backup = await etcd().backUp();
    const lost = await cluster.create('a');
    const before = subvolumesOf(node);
    expect(before).toEqual([kept.id, lost.id].sort());
    const { revision } = await cluster.kv.get(ROOT);

    const since = node.log.length;
    if (isRestarted) await node.kill('agent');
    await etcd().restore(backup);
    await waitFor({ clock, what: 'etcd to answer', timeoutMs: 5000, probe: () => cluster.kv.get(ROOT) });
    expect(await cluster.volume(lost.id)).toBeUndefined();
    if (isRestarted) {
      for (let now = 0; now <= revision; ) {
        const written = await cluster.kv.transact({
          compare: [],
          writes: [{ kind: 'put', key: '/elsewhere', value: 'v' }],
        });
        now = written.revision;
      }
      await node.start('agent');
    }
    await cluster.logged('a', 'cluster.changed', since);
    await checks(node, 4);
    expect(subvolumesOf(node)).toEqual(before);
    // Nor is the node offered to the strange store, though its lease may be in the backup.
    await waitFor({
      clock,
      what: 'the node to go from the store',
      timeoutMs: 10_000,
      probe: async () => (await cluster.kv.get(nodeKey('a'))).kv === undefined || undefined,
    });
  });

  it('from before a handover is refused by the volume’s old node, which would export it again', async () => {
    await using cluster = await startCluster({
      connect,
      nodes: { a: { capacityGib: 16 }, b: { capacityGib: 8, roles: ['agent'] } },
    });
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    for (const { name } of [a, b]) await cluster.logged(name, 'agent.registered');
    const rule = { host: '10.0.0.1', access: 'rw', squash: 'none' };
    const { id, node } = await cluster.create('a', { exports: [rule] });
    expect(node).toBe('a');
    const gate = Promise.withResolvers<void>();
    // Whatever fails: the cluster's end waits for it.
    using _open = { [Symbol.dispose]: () => gate.resolve() };
    const { receive } = b.storage;
    b.storage.receive = async (copy, stream) => {
      await gate.promise;
      return receive(copy, stream);
    };
    // A large volume, which takes long to compare.
    a.storage.digest = async (_copy, signal) => {
      await clock.sleep(3_600_000, signal);
      return '';
    };
    expect((await a.call('POST', `/volumes/${id}/move`, { node: 'b' })).status).toBe(202);
    await cluster.until(id, 'moving', (volume) => volume?.state === 'moving');
    const isMarked = async () => {
      const [mark, volume] = await Promise.all([cluster.kv.get(diskKey('a')), cluster.kv.get(volumeKey(id))]);
      return (mark.kv?.modRevision ?? 0) > (volume.kv?.modRevision ?? 0);
    };
    await waitFor({
      ...{ clock, what: 'a mark after the beginning of the move', timeoutMs: 5000, intervalMs: 20 },
      probe: async () => (await isMarked()) || undefined,
    });
    const backup = await etcd().backUp();
    gate.resolve();
    await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
    await waitFor({
      ...{ clock, what: 'a mark after the handover', timeoutMs: 5000, intervalMs: 20 },
      probe: async () => (await isMarked()) || undefined,
    });
    await a.kill('agent');
    const since = a.log.length;
    await etcd().restore(backup);
    await waitFor({ clock, what: 'etcd to answer', timeoutMs: 5000, probe: () => cluster.kv.get(ROOT) });
    await a.start('agent');
    await cluster.logged('a', 'cluster.changed', since);
    await checks(a, 4);
    expect([a, b].map(({ exporter }) => exporter.server.exports.has(id))).toEqual([false, true]);
    expect(subvolumesOf(a)).toEqual([id]);
    expect(subvolumesOf(b)).toEqual([id]);
  });

  it('is accepted once the operator says so, and what it lacks goes to the trash', async () => {
    await using cluster = await startCluster({ connect, nodes: { a: {} } });
    const node = cluster.node('a');
    const kept = await cluster.create('a');
    const backup = await etcd().backUp();
    await cluster.create('a');
    const since = node.log.length;
    await etcd().restore(backup);
    await cluster.logged('a', 'cluster.changed', since);
    await node.kill('agent');
    const binding = await node.storage.binding();
    if (binding === null) throw new Error('the disk is not bound');
    await node.storage.bind({ ...binding, mark: 0, revision: 0 });
    await node.start('agent');
    await waitFor({
      clock,
      what: 'the subvolume that nobody accounts for to go',
      timeoutMs: 10_000,
      probe: async () => subvolumesOf(node).length === 1 || undefined,
    });
    expect(subvolumesOf(node)).toEqual([kept.id]);
  });
});
