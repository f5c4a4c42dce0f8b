// What the agent tells the cluster of its node: as its spec and its disk change.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { nodeKey, specKey, VERSION_KEY, volumeKey } from '../../src/kv/keys.ts';
import type { Node } from '../../src/model/node.ts';
import { clock, eventually, passes, type TestCluster } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

onEveryStore('membership', ({ start }) => {
  const nodeOf = async (cluster: TestCluster, name: string): Promise<Node> =>
    JSON.parse((await cluster.kv.get(nodeKey(name))).kv?.value ?? 'null') as Node;
  const untilNode = (cluster: TestCluster, what: string, holds: (node: Node | null) => boolean) =>
    waitFor({
      ...{ clock, what, timeoutMs: 10_000, intervalMs: 5 },
      probe: async () => holds(await nodeOf(cluster, 'a')) || undefined,
    });

  it('takes over what clients change of its spec, without a restart and without another lease', async () => {
    await using cluster = await start({ a: { labels: { disk: 'ssd' }, reconcileIntervalMs: 60_000 } });
    const { lease } = await cluster.logged('a', 'agent.registered');
    expect(await nodeOf(cluster, 'a')).toMatchObject({
      agent: 'http://a.test:8081',
      disk: { state: 'ok', reason: null },
      labels: { disk: 'ssd' },
    });
    const body = { labels: { disk: 'hdd' }, capacity: 9, draining: true };
    expect((await cluster.node('a').call('PUT', '/nodes/a', body)).status).toBe(202);
    const changedMs = clock.monotonicMs();
    await untilNode(cluster, 'the new labels', (node) => node?.labels.disk === 'hdd' && node.capacity === 9);
    expect(clock.monotonicMs() - changedMs).toBeLessThan(1000);
    expect((await cluster.kv.get(nodeKey('a'))).kv?.lease).toBe(lease);
  });

  it('stays what it was while its spec is deleted, and writes a new one when it registers again', async () => {
    await using cluster = await start({ a: { roles: ['agent'], labels: { disk: 'ssd' }, capacityGib: 3 } });
    await cluster.logged('a', 'agent.registered');
    await cluster.kv.transact({ compare: [], writes: [{ kind: 'delete', key: specKey('a') }] });
    await passes(cluster.node('a'), 3);
    expect((await cluster.kv.get(specKey('a'))).kv).toBeUndefined();
    expect(await nodeOf(cluster, 'a')).toMatchObject({ labels: { disk: 'ssd' }, capacity: 3 });
    await cluster.node('a').stop('agent');
    await cluster.node('a').start('agent');
    await untilNode(cluster, 'the node', (node) => node !== null);
    expect(JSON.parse((await cluster.kv.get(specKey('a'))).kv?.value ?? '')).toMatchObject({ capacity: 3 });
  });

  it('ends in a cluster of another version that it has never worked in', async () => {
    await using cluster = await start({ a: { roles: [] } });
    const setVersion = (value: string) =>
      cluster.kv.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value }] });
    const node = cluster.node('a');
    // It joins, and before it gets any further the store is another one.
    const { binding } = node.storage;
    node.storage.binding = async () => {
      await setVersion('2');
      return binding();
    };
    await node.start('agent');
    const { cause } = await cluster.logged('a', 'role.crashed');
    expect(cause).toContain('[unsupported]: the cluster has version 2');
    expect(node.storage.disk.binding).toBeNull();
  });

  it('leaves everything as it is when the cluster turns to another version, and waits for its own', async () => {
    await using cluster = await start({ a: {} });
    const setVersion = (value: string) =>
      cluster.kv.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value }] });
    const rule = { host: '10.0.0.1', access: 'rw', squash: 'none' };
    const { id } = await cluster.create('a', { exports: [rule] });
    const node = cluster.node('a');
    await setVersion('2');
    await cluster.kv.transact({ compare: [], writes: [{ kind: 'delete', key: volumeKey(id) }] });
    await untilNode(cluster, 'the node to go', (found) => found === null);
    await passes(node, 4);
    expect(node.exporter.server.exports.has(id)).toBe(true);
    expect([...node.storage.disk.subvolumes.keys()]).toEqual([id]);
    await setVersion('1');
    await untilNode(cluster, 'the node to be back', (found) => found !== null);
    // Of its own cluster it believes that the volume is nobody's.
    await eventually('the orphan to go', () => node.storage.disk.subvolumes.size === 0);
  });

  it('tells how its disk is, as that changes', async () => {
    await using cluster = await start({ a: { roles: ['agent'] } });
    const { disk } = cluster.node('a').storage;
    await cluster.logged('a', 'agent.registered');
    for (const state of ['full', 'ok', 'read-only', 'ok'] as const) {
      disk.health = { state, reason: state === 'ok' ? null : 'a test says so' };
      await untilNode(cluster, `the disk to be ${state}`, (node) => node?.disk.state === state);
    }
  });

  it('tells of a disk that has failed a call at once, whatever the interval', async () => {
    await using cluster = await start({ a: { reconcileIntervalMs: 60_000 } });
    const node = cluster.node('a');
    await cluster.logged('a', 'agent.registered');
    node.storage.disk.health = { state: 'failing', reason: 'a test says so' };
    node.storage.failNext('create');
    await node.call('POST', '/volumes', { name: 'data', requested: { reserved_size: 1 } });
    await untilNode(cluster, 'the disk to be failing', (seen) => seen?.disk.state === 'failing');
  });
});
