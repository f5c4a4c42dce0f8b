// What the agent does to disk and NFS server, and what it leaves alone.

import { expect, it } from '@jest/globals';
import { RigError } from '../../src/base/errors.ts';
import { hex } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { gibToBytes } from '../../src/base/units.ts';
import { joinCluster } from '../../src/daemon/cluster.ts';
import { nodeKey, specKey, volumeKey } from '../../src/kv/keys.ts';
import { killMemoryNfsServer } from '../../src/nfs/memory.ts';
import {
  clock,
  eventually,
  passes,
  RECONCILE_INTERVAL_MS,
  random,
  type TestCluster,
  type TestNode,
  wipe,
} from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const OTHER = { host: '10.0.0.2', access: 'ro', squash: 'none' } as const;

/** Everything that a client could notice of a node. */
const contentsOf = ({ storage, exporter }: TestNode) =>
  structuredClone({
    subvolumes: storage.disk.subvolumes,
    trash: storage.disk.trash,
    exports: exporter.server.exports,
  });

async function edit(cluster: TestCluster, id: string, fields: object): Promise<void> {
  const volume = await cluster.volume(id);
  await cluster.kv.transact({
    compare: [],
    writes: [{ kind: 'put', key: volumeKey(id), value: JSON.stringify({ ...volume, ...fields }) }],
  });
}

onEveryStore('the agent', ({ start, backend }) => {
  it('creates, resizes, exports and deletes', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const subvolume = () => node.storage.disk.subvolumes.get(id);
    expect(subvolume()).toMatchObject({ quotaBytes: gibToBytes(1), usedBytes: 0 });
    expect(node.exporter.server.exports.get(id)).toEqual([RULE]);
    await node.call('PUT', `/volumes/${id}`, { requested: { reserved_size: 2.5 } });
    await cluster.until(
      id,
      'the new size',
      (volume) => volume?.actual?.reserved_size === 2.5 && volume.state === 'ready',
    );
    expect(subvolume()?.quotaBytes).toBe(gibToBytes(2.5));
    await node.call('PUT', `/volumes/${id}/exports`, { exports: [OTHER] });
    await cluster.until(id, 'the new exports', (volume) => volume?.actual?.exports[0]?.host === OTHER.host);
    expect(node.exporter.server.exports.get(id)).toEqual([OTHER]);
    await node.call('DELETE', `/volumes/${id}`);
    await cluster.until(id, 'its key to be gone', (volume) => volume === undefined);
    expect(contentsOf(node)).toMatchObject({ subvolumes: new Map(), trash: [{ id }], exports: new Map() });
  });

  it('registers with its lease, and persists its spec once', async () => {
    await using cluster = await start({ a: { labels: { disk: 'ssd' }, capacityGib: 3 } });
    const first = await cluster.logged('a', 'agent.registered');
    expect((await cluster.kv.get(nodeKey('a'))).kv?.lease).toBe(first.lease);
    const spec = { volume_path: '/srv/cobalt', capacity: 3, labels: { disk: 'ssd' }, draining: false };
    expect(JSON.parse((await cluster.kv.get(specKey('a'))).kv?.value ?? '')).toEqual(spec);
    await cluster.kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: specKey('a'), value: JSON.stringify({ ...spec, capacity: 7 }) }],
    });
    await cluster.node('a').kill('agent');
    const since = cluster.node('a').log.length;
    await cluster.node('a').start('agent');
    const second = await cluster.logged('a', 'agent.registered', since);
    const { kv } = await cluster.kv.get(nodeKey('a'));
    expect(kv?.lease).toBe(second.lease);
    expect(second.lease).not.toBe(first.lease);
    expect(JSON.parse(kv?.value ?? '')).toMatchObject({ capacity: 7 });
  });

  it('registers again when its lease or its key is gone', async () => {
    await using cluster = await start({ a: { roles: ['agent'] } });
    const { lease } = await cluster.logged('a', 'agent.registered');
    await cluster.kv.transact({ compare: [], writes: [{ kind: 'delete', key: nodeKey('a') }] });
    await cluster.logged('a', 'agent.re-registering');
    await waitFor({
      clock,
      what: 'the key',
      timeoutMs: 5000,
      probe: async () => (await cluster.kv.get(nodeKey('a'))).kv,
    });
    const since = cluster.node('a').log.length;
    await cluster.kv.revokeLease(String(lease));
    await cluster.logged('a', 'agent.lost-lease', since);
    expect((await cluster.logged('a', 'agent.registered', since)).lease).not.toBe(lease);
  });

  it('refuses to shrink below what is used, and keeps the quota', async () => {
    await using cluster = await start({ a: {} });
    const { id } = await cluster.create('a', { requested: { reserved_size: 2 } });
    const subvolume = cluster.node('a').storage.disk.subvolumes.get(id);
    if (subvolume !== undefined) subvolume.usedBytes = gibToBytes(1.5);
    await cluster.node('a').call('PUT', `/volumes/${id}`, { requested: { reserved_size: 1 } });
    const failed = await cluster.until(id, 'the refusal', (volume) => volume?.state === 'error');
    expect(failed.control.error).toMatch(/bytes are in use/);
    expect(subvolume?.quotaBytes).toBe(gibToBytes(2));
  });

  it('repairs exports that the NFS server forgot, and a quota that somebody changed', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    killMemoryNfsServer(node.exporter.server);
    const subvolume = node.storage.disk.subvolumes.get(id);
    if (subvolume !== undefined) subvolume.quotaBytes = 1 << 20;
    await eventually('the quota', () => subvolume?.quotaBytes === gibToBytes(1));
    node.exporter.server.up = true;
    await eventually('the exports', () => node.exporter.server.exports.get(id)?.[0]?.host === RULE.host);
    expect((await cluster.volume(id))?.state).toBe('ready');
  });

  it('looks at a volume that it resizes, not at all of them', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const refuse = async (): Promise<never> => {
      throw new RigError('io', 'a look at everything');
    };
    node.storage.list = refuse;
    node.exporter.list = refuse;
    await node.call('PUT', `/volumes/${id}`, { requested: { reserved_size: 2 } });
    await eventually('the quota', () => node.storage.disk.subvolumes.get(id)?.quotaBytes === gibToBytes(2));
    await cluster.until(id, 'the end of it', (volume) => volume?.state === 'ready');
  });

  it('says so when the NFS server is up and can not be read', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    await cluster.logged('a', 'agent.registered');
    node.exporter.list = async () => {
      throw new RigError('io', 'an answer that nobody understands');
    };
    expect(await cluster.logged('a', 'agent.reconcile-failed')).toMatchObject({
      cause: expect.stringContaining('nobody understands'),
    });
  });

  it('ends the access of a client that somebody let in by hand', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    node.exporter.server.exports.set(id, [RULE, { ...RULE, host: '* with options 96' }]);
    await eventually('the repair', () => node.exporter.server.exports.get(id)?.length === 1);
    expect(node.exporter.server.exports.get(id)).toEqual([RULE]);
  });

  it('catches up with what was changed while it was away', async () => {
    await using cluster = await start({ a: { roles: ['api', 'engine'] }, b: { roles: ['agent'] } });
    const { id } = await cluster.create('a', { exports: [RULE] });
    const node = cluster.node('b');
    (node.storage.disk.subvolumes.get(id) as { usedBytes: number }).usedBytes = 12_345;
    await node.kill('agent');
    await cluster.node('a').call('PUT', `/volumes/${id}`, { requested: { reserved_size: 3 } });
    await cluster.node('a').call('PUT', `/volumes/${id}/exports`, { exports: [OTHER] });
    await node.start('agent');
    await cluster.until(
      id,
      'both changes',
      (volume) => volume?.state === 'ready' && volume.actual?.reserved_size === 3,
    );
    expect(node.storage.disk.subvolumes.get(id)).toMatchObject({
      quotaBytes: gibToBytes(3),
      usedBytes: 12_345,
    });
    expect(node.exporter.server.exports.get(id)).toEqual([OTHER]);
  });

  it('trashes a subvolume that nobody accounts for, but only at the second listing', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const orphan = `v${hex(random, 16)}`;
    await node.storage.create({ id: orphan, quotaBytes: 1 << 20 });
    const madeMs = clock.monotonicMs();
    const { volume, reason } = await cluster.logged('a', 'orphan.trashed');
    expect({ volume, reason }).toEqual({ volume: orphan, reason: 'absent from etcd' });
    expect(clock.monotonicMs() - madeMs).toBeGreaterThanOrEqual(RECONCILE_INTERVAL_MS);
    expect([...node.storage.disk.subvolumes.keys()]).toEqual([id]);
    expect(node.storage.disk.trash).toMatchObject([{ id: orphan }]);
  });

  it('stops exporting what was given to another node, and trashes it', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    await edit(cluster, id, { node: 'elsewhere' });
    await cluster.logged('a', 'orphan.unexported');
    expect(node.exporter.server.exports.size).toBe(0);
    await cluster.logged('a', 'orphan.trashed');
    expect((await cluster.volume(id))?.node).toBe('elsewhere');
  });

  it('touches nothing while etcd is away, and suspects from the beginning when it is back', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const orphan = `v${hex(random, 16)}`;
    await backend().stop();
    await node.storage.create({ id: orphan, quotaBytes: 1 << 20 });
    const before = contentsOf(node);
    await passes(node, 3);
    expect(contentsOf(node)).toEqual(before);
    expect(node.log.some(({ event }) => event === 'etcd.unreachable')).toBe(true);
    const backMs = clock.monotonicMs();
    const since = node.log.length;
    await backend().start();
    await cluster.logged('a', 'orphan.trashed', since);
    // What was seen while etcd was away convicts nobody: it takes two listings of after it.
    expect(clock.monotonicMs() - backMs).toBeGreaterThanOrEqual(RECONCILE_INTERVAL_MS);
    expect(node.storage.disk.trash).toMatchObject([{ id: orphan }]);
    expect([...node.storage.disk.subvolumes.keys()]).toEqual([id]);
    expect(node.exporter.server.exports.get(id)).toEqual([RULE]);
  });

  it.each([
    ['emptied', async () => undefined],
    [
      'set up anew with the same cluster id',
      async (cluster: TestCluster) => joinCluster({ kv: cluster.kv, random }),
    ],
  ])('touches nothing when etcd was %s', async (_how, prepare) => {
    await using cluster = await start({ a: { roles: ['api', 'engine'] }, b: { roles: ['agent'] } });
    const node = cluster.node('b');
    await cluster.create('a', { exports: [RULE] });
    const before = contentsOf(node);
    const since = node.log.length;
    await cluster.node('a').stop('engine');
    await cluster.node('a').stop('api');
    await wipe(cluster.kv);
    await prepare(cluster);
    await passes(node, 4);
    await node.kill('agent');
    // A restarted one remembers nothing but what its disk says.
    await node.start('agent');
    await passes(node, 4);
    expect(contentsOf(node)).toEqual(before);
    expect(node.log.slice(since).map(({ event }) => event)).toContain('cluster.changed');
    // It is not offered to the strange cluster either.
    expect((await cluster.kv.get(nodeKey('b'))).kv).toBeUndefined();
  });

  it('touches nothing under another node name', async () => {
    await using cluster = await start({ a: {}, b: { roles: ['agent'] } });
    await cluster.logged('b', 'agent.registered');
    await cluster.node('b').stop('agent');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const [node, stranger] = [cluster.node('a'), cluster.node('b')];
    await node.kill('agent');
    Object.assign(stranger.storage, node.storage);
    await stranger.start('agent');
    await cluster.logged('b', 'disk.foreign');
    await passes(stranger, 4);
    expect([...node.storage.disk.subvolumes.keys()]).toEqual([id]);
  });

  it('tries again soon when a call to etcd timed out, whatever the interval', async () => {
    await using cluster = await start({ a: { reconcileIntervalMs: 60_000 } });
    const node = cluster.node('a');
    await cluster.logged('a', 'agent.registered');
    node.link('agent').failNext(2);
    await cluster.create('a', { exports: [RULE] });
    expect(node.link('agent').failuresLeft).toBe(0);
  });

  it('tries again soon when the first pass failed, whatever the interval', async () => {
    await using cluster = await start({ a: { reconcileIntervalMs: 60_000, roles: ['api', 'engine'] } });
    const { list } = cluster.node('a').storage;
    let failures = 1;
    cluster.node('a').storage.list = async () => {
      if (failures-- > 0) throw new RigError('timeout', 'no answer', { definite: false });
      return list();
    };
    await cluster.node('a').start('agent');
    await cluster.create('a', { exports: [RULE] });
  });

  it('exports a new volume on one node only, though it was held up right before', async () => {
    await using cluster = await start({
      a: { capacityGib: 16, roles: ['agent'] },
      b: { capacityGib: 8 },
    });
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    for (const { name } of [a, b]) await cluster.logged(name, 'agent.registered');
    const gate = Promise.withResolvers<void>();
    // Whatever fails: the cluster's end waits for it.
    using _open = { [Symbol.dispose]: () => gate.resolve() };
    const { apply } = a.exporter;
    let isHeldUp = false;
    a.exporter.apply = async (wanted) => {
      isHeldUp = true;
      await gate.promise;
      await apply(wanted);
    };
    const order = { name: 'data', requested: { reserved_size: 1 }, exports: [RULE] };
    const { id } = (await b.call('POST', '/volumes', order)).json;
    await eventually('a to be about to export it', () => isHeldUp);
    a.link('agent').pause();
    await waitFor({
      ...{ clock, what: 'a to be taken for dead', timeoutMs: 10_000, intervalMs: 10 },
      probe: async () => (await cluster.kv.get(nodeKey('a'))).kv === undefined || undefined,
    });
    // The engine has decided about all volumes since.
    expect((await cluster.create('b')).node).toBe('b');
    expect(await cluster.volume(id)).toMatchObject({ state: 'scheduling', node: 'a' });
    a.link('agent').resume();
    gate.resolve();
    await cluster.until(id, 'the volume', (volume) => volume?.state === 'ready');
    expect([a, b].map(({ exporter }) => exporter.server.exports.has(id))).toEqual([true, false]);
  });

  it('never recreates a volume whose subvolume is gone', async () => {
    await using cluster = await start({ a: {} });
    const { id } = await cluster.create('a');
    cluster.node('a').storage.disk.subvolumes.delete(id);
    const failed = await cluster.until(id, 'the loss to be told', (volume) => volume?.state === 'error');
    expect(failed.control.error).toMatch(/missing/);
    expect(cluster.node('a').storage.disk.subvolumes.size).toBe(0);
  });
});
