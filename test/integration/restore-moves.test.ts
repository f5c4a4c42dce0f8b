// etcd restored from a backup of before a handover, whose old node died before it had marked its disk: nothing on
// that disk tells that the volume is another node's.

import { describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { diskKey, ROOT, specKey, volumeKey } from '../../src/kv/keys.ts';
import { clock, eventually, passes, startCluster, type TestCluster } from '../support/cluster.ts';
import { onRestorableEtcd } from './restorable.ts';

jest.setTimeout(40_000);

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;

const { etcd, connect } = onRestorableEtcd();

/** Two nodes of which the first runs everything and is chosen for volumes. */
async function startTwo(): Promise<TestCluster> {
  const nodes = { a: { capacityGib: 16 }, b: { capacityGib: 8, roles: ['agent'] as const } };
  const cluster = await startCluster({ connect, nodes });
  for (const name of ['a', 'b']) await cluster.logged(name, 'agent.registered');
  return cluster;
}

/** Resolves when the node has marked its disk since the volume was last changed. */
const marked = (cluster: TestCluster, node: string, id: string): Promise<true> =>
  waitFor({
    ...{ clock, what: `a mark of node ${node}`, timeoutMs: 5000, intervalMs: 20 },
    probe: async () => {
      const [mark, volume] = await Promise.all([
        cluster.kv.get(diskKey(node)),
        cluster.kv.get(volumeKey(id)),
      ]);
      return (mark.kv?.modRevision ?? 0) > (volume.kv?.modRevision ?? 0) || undefined;
    },
  });

/** Orders a volume on a and its move to b. Answers when a has marked its disk for the last time before the handover. */
async function beginCutover(cluster: TestCluster): Promise<{ readonly id: string; readonly go: () => void }> {
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { id } = await cluster.create('a', { exports: [RULE] });
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { receive } = b.storage;
  b.storage.receive = async (copy, stream) => {
    if (!a.exporter.server.exports.has(id)) {
      reached.resolve();
      await gate.promise;
    }
    return receive(copy, stream);
  };
  expect((await a.call('POST', `/volumes/${id}/move`, { node: 'b' })).status).toBe(202);
  await reached.promise;
  return { id, go: gate.resolve };
}

/** Orders a volume on a and its move to b. Answers when the transfer is about to begin, which `go` lets it do. */
async function beginMove(cluster: TestCluster): Promise<{ readonly id: string; readonly go: () => void }> {
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { id, node } = await cluster.create('a', { exports: [RULE] });
  expect(node).toBe('a');
  const gate = Promise.withResolvers<void>();
  const { receive } = b.storage;
  b.storage.receive = async (copy, stream) => {
    await gate.promise;
    return receive(copy, stream);
  };
  expect((await a.call('POST', `/volumes/${id}/move`, { node: 'b' })).status).toBe(202);
  await cluster.until(id, 'moving', (volume) => volume?.state === 'moving');
  await marked(cluster, 'a', id);
  return { id, go: gate.resolve };
}

async function restore(cluster: TestCluster, backup: string): Promise<void> {
  await etcd().restore(backup);
  await waitFor({ clock, what: 'etcd to answer', timeoutMs: 5000, probe: () => cluster.kv.get(ROOT) });
}

const exportersOf = (cluster: TestCluster, id: string): readonly string[] =>
  ['a', 'b'].filter((name) => cluster.node(name).exporter.server.exports.has(id));

/** Looks at every change of exports from now on. Answers with those who exported it when it was more than one. */
function watchExporters(cluster: TestCluster, id: string): readonly (readonly string[])[] {
  const tooMany: (readonly string[])[] = [];
  for (const name of ['a', 'b']) {
    const { exporter } = cluster.node(name);
    const { apply } = exporter;
    exporter.apply = async (wanted) => {
      await apply(wanted);
      const exporters = exportersOf(cluster, id);
      if (exporters.length > 1) tooMany.push(exporters);
    };
  }
  return tooMany;
}

/** As an operator does who accepts what a backup lacks (binding.ts). */
async function acceptBackup(cluster: TestCluster, name: string): Promise<void> {
  const { storage } = cluster.node(name);
  const binding = await storage.binding();
  if (binding === null) throw new Error(`the disk of ${name} is not bound`);
  await storage.bind({ ...binding, mark: 0, revision: 0 });
}

it('the new node keeps what clients have written there since, and exports it alone', async () => {
  await using cluster = await startTwo();
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { id, go } = await beginMove(cluster);
  using _go = { [Symbol.dispose]: go };
  const backup = await etcd().backUp();
  const crashed = a.ambush.crashAt('move/after-handover');
  go();
  await crashed;
  await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
  await marked(cluster, 'b', id);
  expect(exportersOf(cluster, id)).toEqual(['b']);

  await restore(cluster, backup);
  const tooMany = watchExporters(cluster, id);
  await a.start('agent');
  await cluster.logged('b', 'cluster.changed');
  await passes(a, 4);
  expect(tooMany).toEqual([]);
  expect(exportersOf(cluster, id)).toEqual(['b']);
  for (const node of [a, b]) expect([...node.storage.disk.subvolumes.keys()]).toEqual([id]);
});

it('a new node that died before it made the volume makes it from the next handover, and nothing is lost', async () => {
  await using cluster = await startTwo();
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { id, go } = await beginMove(cluster);
  using _go = { [Symbol.dispose]: go };
  const backup = await etcd().backUp();
  const crashed = Promise.all([
    a.ambush.crashAt('move/after-handover'),
    b.ambush.crashAt('agent/before-witness'),
  ]);
  go();
  await crashed;
  const { node, state } = (await cluster.volume(id)) ?? {};
  expect({ node, state }).toEqual({ node: 'b', state: 'moving' });
  expect(exportersOf(cluster, id)).toEqual([]);
  expect([...a.storage.disk.subvolumes.keys()]).toEqual([id]);

  await restore(cluster, backup);
  const tooMany = watchExporters(cluster, id);
  // Whether a accepts the backup by itself is not what this is about.
  await acceptBackup(cluster, 'a');
  for (const each of [a, b]) await each.start('agent');
  await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
  expect(exportersOf(cluster, id)).toEqual(['b']);
  expect(tooMany).toEqual([]);
  await eventually('the old node to have cleared up', () => a.storage.disk.subvolumes.size === 0);
  expect([...b.storage.disk.subvolumes.keys()]).toEqual([id]);
});

describe('a backup of between the last mark before the handover and the handover', () => {
  /** Moves a volume from a, which dies right after the handover, to b, and puts etcd back to before that. */
  async function rollBack(cluster: TestCluster): Promise<{ readonly id: string }> {
    const { id, go } = await beginCutover(cluster);
    using _go = { [Symbol.dispose]: go };
    const backup = await etcd().backUp();
    const crashed = cluster.node('a').ambush.crashAt('move/after-handover');
    go();
    await crashed;
    await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
    expect(exportersOf(cluster, id)).toEqual(['b']);
    await restore(cluster, backup);
    return { id };
  }

  it('leaves the volume to the new node, and says why the old one does not export it', async () => {
    await using cluster = await startTwo();
    const { id } = await rollBack(cluster);
    const a = cluster.node('a');
    const tooMany = watchExporters(cluster, id);
    await a.start('agent');
    await cluster.logged('b', 'cluster.changed');
    const { reason } = await cluster.logged('a', 'move.in-doubt');
    expect(reason).toMatch(/^node b may have it/);
    // However often the old node begins anew.
    await a.kill('agent');
    await a.start('agent');
    await passes(a, 4);
    expect(tooMany).toEqual([]);
    expect(exportersOf(cluster, id)).toEqual(['b']);
    for (const name of ['a', 'b'])
      expect([...cluster.node(name).storage.disk.subvolumes.keys()]).toEqual([id]);
  });

  it('has the old node export the volume again once people have accepted the loss on the new one', async () => {
    await using cluster = await startTwo();
    const { id } = await rollBack(cluster);
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    await a.start('agent');
    await cluster.logged('b', 'cluster.changed');
    const tooMany = watchExporters(cluster, id);
    await b.stop('agent');
    await acceptBackup(cluster, 'b');
    const since = a.log.length;
    await b.start('agent');
    await cluster.logged('a', 'move.settled', since);
    // The move that the backup knows of goes on.
    await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
    expect((await cluster.volume(id))?.control.error).toBeNull();
    expect(tooMany).toEqual([]);
    await eventually('one exporter', () => exportersOf(cluster, id).join() === 'b');
  });

  it('has the old node export the volume again once the new one was forgotten', async () => {
    await using cluster = await startTwo();
    const { id } = await rollBack(cluster);
    const [a, b] = [cluster.node('a'), cluster.node('b')];
    await b.stop('agent');
    await a.start('agent');
    await cluster.logged('a', 'move.in-doubt');
    let last: unknown;
    await waitFor({
      ...{ clock, what: 'node b to be forgotten', timeoutMs: 20_000, intervalMs: 50 },
      probe: async () => {
        last = await a.call('DELETE', '/nodes/b');
        return (await cluster.kv.get(specKey('b'))).kv === undefined || undefined;
      },
      describe: () => JSON.stringify(last),
    });
    await cluster.logged('a', 'move.doubt-dropped');
    await eventually('the export', () => exportersOf(cluster, id).includes('a'));
  });
});

it('a crash in a cutover keeps clients out no longer than the new node needs to answer', async () => {
  await using cluster = await startTwo();
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const crashed = a.ambush.crashAt('move/before-handover');
  const { id, go } = await beginCutover(cluster);
  go();
  await crashed;
  await b.stop('agent');
  await a.start('agent');
  await cluster.logged('a', 'move.in-doubt');
  await passes(a, 3);
  expect(exportersOf(cluster, id)).toEqual([]);
  const tooMany = watchExporters(cluster, id);
  await b.start('agent');
  await cluster.logged('a', 'move.settled');
  await cluster.until(id, 'its move', (volume) => volume?.state === 'ready' && volume.node === 'b');
  expect(exportersOf(cluster, id)).toEqual(['b']);
  expect(tooMany).toEqual([]);
});

it('whoever waits for an answer compares no more often for it, and nobody else compares for its sake', async () => {
  const rarely = { reconcileIntervalMs: 60_000 };
  const nodes = {
    a: { capacityGib: 16, ...rarely },
    b: { capacityGib: 8, roles: ['agent'] as const },
    c: { capacityGib: 8, roles: ['agent'] as const, ...rarely },
  };
  await using cluster = await startCluster({ connect, nodes });
  const a = cluster.node('a');
  for (const name of Object.keys(nodes)) await cluster.logged(name, 'agent.registered');
  const crashed = a.ambush.crashAt('move/before-handover');
  const { go } = await beginCutover(cluster);
  go();
  await crashed;
  await cluster.node('b').kill('agent');
  const compared = { a: 0, c: 0 };
  for (const name of ['a', 'c'] as const) {
    const { storage } = cluster.node(name);
    const { list } = storage;
    storage.list = () => {
      compared[name] += 1;
      return list();
    };
  }
  await a.start('agent');
  await cluster.logged('a', 'move.in-doubt');
  // It looks into it again with growing patience: that is some seconds.
  const failures = () => a.log.filter(({ event }) => event === 'move.failed').length;
  await eventually('the mover to have tried again and again', () => failures() >= 3);
  expect(compared.a).toBeLessThanOrEqual(3);
  expect(compared.c).toBe(0);
});
