// Moves between whole agents, with every way in which nodes and links fail them.

import { afterEach, expect, it } from '@jest/globals';
import { FAILPOINTS } from '../../src/base/failpoints.ts';
import { waitFor } from '../../src/base/retry.ts';
import { volumeKey } from '../../src/kv/keys.ts';
import type { Kv, Transaction } from '../../src/kv/kv.ts';
import { moveGranted } from '../../src/model/changes.ts';
import type { Volume } from '../../src/model/volume.ts';
import { clock, RECONCILE_INTERVAL_MS, type TestCluster, type TestNode } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const FILES = { 'etc/motd': 'hello', 'var/log': 'x'.repeat(20_000), empty: '' };
const SMALL = { exports: [RULE], requested: { reserved_size: 1 / 64 } };
const MOVE_FAILPOINTS = FAILPOINTS.filter((name) => name.startsWith('move/'));

/** Whoever let a second node export a volume. */
const violations: string[] = [];

afterEach(() => {
  expect(violations.splice(0)).toEqual([]);
});

const soon = (what: string, holds: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor({
    ...{ clock, what, timeoutMs: 15_000, intervalMs: 10 },
    probe: async () => (await holds()) || undefined,
  });

const isExporting = ({ exporter }: TestNode, id: string): boolean =>
  (exporter.server.exports.get(id)?.length ?? 0) > 0;

/** Notes it whenever two nodes export one volume: looked at after each export, the only thing that can make it so. */
function watchExports(nodes: readonly TestNode[]): void {
  for (const node of nodes) {
    const { apply } = node.exporter;
    node.exporter.apply = async (wanted) => {
      await apply(wanted);
      const all = nodes.filter((each) => isExporting(each, wanted.id)).map(({ name }) => name);
      if (all.length > 1) violations.push(`${all.join(' and ')} export ${wanted.id}`);
    };
  }
}

/** As the engine does. */
async function grant(kv: Kv, id: string, node: string): Promise<void> {
  const { kv: found } = await kv.get(volumeKey(id));
  if (found === undefined) throw new Error(`there is no volume ${id}`);
  const author = { writer: { role: 'engine', node: 'a', term: 1 } as const, nowMs: clock.nowMs() };
  const moving = moveGranted(JSON.parse(found.value) as Volume, { node, cause: 'asked' }, author);
  const { succeeded } = await kv.transact({
    compare: [{ key: found.key, target: 'mod', equals: found.modRevision }],
    writes: [{ kind: 'put', key: found.key, value: JSON.stringify(moving) }],
  });
  if (!succeeded) throw new Error(`volume ${id} changed meanwhile`);
}

onEveryStore('moves', ({ start }) => {
  /** A volume with files, on node `from`, and nobody who plans: the test does. */
  const prepare = async (cluster: TestCluster, names: readonly string[]) => {
    const nodes = names.map((name) => cluster.node(name));
    watchExports(nodes);
    const { id, node } = await cluster.create('a', { exports: [RULE] });
    await cluster.node('a').stop('engine');
    const from = cluster.node(node ?? '');
    const others = nodes.filter((each) => each !== from);
    const [to] = others;
    if (to === undefined) throw new Error('there is no other node');
    for (const [path, text] of Object.entries(FILES)) {
      from.storage.disk.subvolumes.get(id)?.files.set(path, text);
    }
    return { id, from, to, others };
  };
  const twoNodes = { a: {}, b: { roles: ['agent'] } } as const;
  const filesOf = ({ storage }: TestNode, id: string): object =>
    Object.fromEntries(storage.disk.subvolumes.get(id)?.files ?? []);
  const isAt = (node: TestNode) => (volume: Volume | undefined) =>
    volume?.state === 'ready' && volume.node === node.name;

  /** It is there and whole, and nothing is left of it or of the move anywhere else. */
  const arrived = async (
    cluster: TestCluster,
    id: string,
    to: TestNode,
    { from, files = FILES }: { from: readonly TestNode[]; files?: object },
  ) => {
    await cluster.until(id, `the volume on ${to.name}`, isAt(to));
    const isClean = ({ storage }: TestNode): boolean =>
      ![...storage.disk.copies.values()].some((copy) => copy.id === id);
    await soon(
      'the end of all remains',
      () => isClean(to) && from.every((node) => isClean(node) && !node.storage.disk.subvolumes.has(id)),
    );
    expect(filesOf(to, id)).toEqual(files);
    expect([to, ...from].filter((node) => isExporting(node, id))).toEqual([to]);
  };

  it('go by what a client asks for', async () => {
    await using cluster = await start(twoNodes);
    const nodes = [cluster.node('a'), cluster.node('b')];
    watchExports(nodes);
    const { id, node } = await cluster.create('a', { exports: [RULE] });
    const [from, to] = node === 'a' ? nodes : nodes.toReversed();
    if (from === undefined || to === undefined) throw new Error('there are two');
    for (const [path, text] of Object.entries(FILES)) {
      from.storage.disk.subvolumes.get(id)?.files.set(path, text);
    }
    const answer = await cluster.node('a').call('POST', `/volumes/${id}/move`, { node: to.name });
    expect(answer.status).toBe(202);
    await arrived(cluster, id, to, { from: [from] });
    expect(to.storage.disk.subvolumes.get(id)?.quotaBytes).toBe(1024 ** 3);
    expect(await cluster.volume(id)).toMatchObject({ control: { error: null, task: null } });
  });

  it.each(MOVE_FAILPOINTS)('go on after a crash at %s', async (failpoint) => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    const victim = failpoint === 'move/after-receive' ? to : from;
    await victim.kill('agent');
    await victim.start('agent', { [failpoint]: { effect: { kind: 'crash' }, count: 1 } });
    await grant(cluster.kv, id, to.name);
    await victim.crashed('agent');
    await victim.start('agent');
    await arrived(cluster, id, to, { from: [from] });
  });

  it.each(['agent/before-adopt', 'agent/after-adopt', 'agent/after-export'] as const)(
    'go on after the new node has crashed at %s',
    async (failpoint) => {
      await using cluster = await start(twoNodes);
      const { id, from, to } = await prepare(cluster, ['a', 'b']);
      await to.kill('agent');
      await to.start('agent', { [failpoint]: { effect: { kind: 'crash' }, count: 1 } });
      await grant(cluster.kv, id, to.name);
      await to.crashed('agent');
      await to.start('agent');
      await arrived(cluster, id, to, { from: [from] });
    },
  );

  it.each([false, true])('go on when the link between the nodes was cut (silently: %s)', async (silently) => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    let cuts = 0;
    const { send } = from.storage;
    from.storage.send = async function* (copy, options) {
      let chunks = 0;
      for await (const chunk of send(copy, options)) {
        yield chunk;
        chunks += 1;
        if (chunks !== 1 || cuts > 1) continue;
        cuts += 1;
        cluster.world.cut('a.test', 'b.test', { silently });
      }
    };
    await grant(cluster.kv, id, to.name);
    for (let seen = 1; seen <= 2; seen += 1) {
      await soon('the cut', () => cuts === seen);
      // The first copy was lost, or the last one: in both cases clients get the volume back where it was.
      if (!silently) await soon('the export', () => isExporting(from, id));
      cluster.world.heal('a.test', 'b.test');
    }
    await arrived(cluster, id, to, { from: [from] });
  });

  it('end where they began while the new node is away, and go on when it is back', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    await to.kill('agent');
    await grant(cluster.kv, id, to.name);
    await cluster.logged(from.name, 'move.failed');
    expect(isExporting(from, id)).toBe(true);
    const other = { ...RULE, host: '10.0.0.9' };
    const exports = { exports: [other] };
    expect((await cluster.node('a').call('PUT', `/volumes/${id}/exports`, exports)).status).toBe(202);
    await soon('the new exports', () => from.exporter.server.exports.get(id)?.[0]?.host === other.host);
    await to.start('agent');
    await arrived(cluster, id, to, { from: [from] });
    expect(to.exporter.server.exports.get(id)).toEqual([other]);
  });

  it('can not be handed over by a call that comes late, once the old node exports again', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    const link = from.link('agent');
    let handover: Transaction | undefined;
    link.pause((transaction) => {
      const isIt = transaction.writes.some(
        ({ key, ...write }) => key === volumeKey(id) && 'value' in write && isHandover(write.value),
      );
      if (isIt) handover = transaction;
      return isIt;
    });
    await grant(cluster.kv, id, to.name);
    await soon('the handover to be under way', () => link.held > 0);
    expect([isExporting(from, id), isExporting(to, id)]).toEqual([false, false]);
    // The process dies with its call under way. The next one can't reach the other node, and serves its clients.
    cluster.world.cut('a.test', 'b.test');
    await from.kill('agent');
    await from.start('agent');
    await soon('the old node to export again', () => isExporting(from, id));
    if (handover === undefined) throw new Error('there was no handover');
    expect((await cluster.kv.transact(handover)).succeeded).toBe(false);
    cluster.world.heal('a.test', 'b.test');
    await arrived(cluster, id, to, { from: [from] });
  });

  it('survive lost answers of etcd', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    from.link('agent').failNext(2);
    to.link('agent').failNext(2);
    await grant(cluster.kv, id, to.name);
    await arrived(cluster, id, to, { from: [from] });
    expect(from.link('agent').failuresLeft).toBe(0);
  });

  it('go there, and back again at once', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    await grant(cluster.kv, id, to.name);
    await cluster.until(id, 'the volume there', isAt(to));
    await grant(cluster.kv, id, from.name);
    await cluster.until(id, 'the volume back', isAt(from));
    await grant(cluster.kv, id, to.name);
    await arrived(cluster, id, to, { from: [from] });
  });

  it('go on to a third node while the first one is away', async () => {
    await using cluster = await start({ ...twoNodes, c: { roles: ['agent'] } });
    const { id, from, others } = await prepare(cluster, ['a', 'b', 'c']);
    const [to, last] = others;
    if (to === undefined || last === undefined) throw new Error('there are three');
    await from.kill('agent');
    await from.start('agent', { 'move/after-handover': { effect: { kind: 'crash' }, count: 1 } });
    await grant(cluster.kv, id, to.name);
    await cluster.until(id, 'the volume there', isAt(to));
    await grant(cluster.kv, id, last.name);
    await cluster.until(id, 'the volume at its end', isAt(last));
    await from.start('agent');
    await arrived(cluster, id, last, { from: [from, to] });
    // Of what it had, there is nothing left at the end to compare it with.
    await cluster.logged(from.name, 'move.unverified');
  });

  it('leave nothing when the volume is deleted right after', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    await grant(cluster.kv, id, to.name);
    await cluster.until(id, 'the volume there', isAt(to));
    expect((await cluster.node('a').call('DELETE', `/volumes/${id}`)).status).toBe(202);
    await cluster.until(id, 'its key to be gone', (volume) => volume === undefined);
    await soon('everything to be gone', () =>
      [from, to].every(
        ({ storage: { disk } }) =>
          !disk.subvolumes.has(id) && ![...disk.copies.values()].some((copy) => copy.id === id),
      ),
    );
  });

  it('keep both when the two nodes do not have the same', async () => {
    await using cluster = await start(twoNodes);
    const { id, from, to } = await prepare(cluster, ['a', 'b']);
    to.storage.digest = async () => '0'.repeat(64);
    await grant(cluster.kv, id, to.name);
    await cluster.until(id, 'the volume there', isAt(to));
    await cluster.logged(from.name, 'move.digest-mismatch');
    const seen = from.log.length;
    await passes(from, 4);
    expect(filesOf(from, id)).toEqual(FILES);
    expect(isExporting(from, id)).toBe(false);
    expect(from.log.slice(seen).some(({ event }) => event === 'orphan.trashed')).toBe(false);
  });

  it('go to and fro between two nodes, more of them than either does at a time', async () => {
    await using cluster = await start(twoNodes);
    const nodes = [cluster.node('a'), cluster.node('b')];
    watchExports(nodes);
    const made = await Promise.all(Array.from({ length: 24 }, () => cluster.create('a', SMALL)));
    await cluster.node('a').stop('engine');
    for (const { storage } of nodes) {
      for (const [id, { files }] of storage.disk.subvolumes) {
        for (const [path, text] of [...Object.entries(FILES), ['id', id] as const]) files.set(path, text);
      }
    }
    for (const node of nodes) {
      await node.stop('agent');
      // All have sent all before the first cutover, and are in their cutovers together, if they could be.
      await node.start('agent', {
        'move/after-send': { effect: { kind: 'sleep', ms: 300 }, count: made.length / 2 },
        'move/after-cutover': { effect: { kind: 'sleep', ms: 300 }, count: null },
      });
    }
    const targetOf = ({ node }: Volume): string => (node === 'a' ? 'b' : 'a');
    expect(new Set(made.map(targetOf)).size).toBe(2);
    await Promise.all(made.map((volume) => grant(cluster.kv, volume.id, targetOf(volume))));
    await Promise.all(
      made.map((volume) =>
        arrived(cluster, volume.id, cluster.node(targetOf(volume)), {
          from: [cluster.node(volume.node ?? '')],
          files: { ...FILES, id: volume.id },
        }),
      ),
    );
    const given = nodes.flatMap(({ log }) => log).filter(({ event }) => event === 'move.cutover-too-long');
    expect(given).toEqual([]);
  });

  it('are of no use to whoever does not know the secret', async () => {
    await using cluster = await start(twoNodes);
    const { id, from } = await prepare(cluster, ['a', 'b']);
    const stranger = cluster.world.connect('stranger');
    const url = `http://${from.name}.test:8081/volumes/${id}`;
    const headers = {
      authorization: `Cobalt ${'0'.repeat(32)}.${'0'.repeat(64)}`,
      'cobalt-from': 'b',
      'cobalt-to': from.name,
    };
    expect((await stranger.call({ method: 'GET', url, timeoutMs: 1000 })).status).toBe(401);
    expect((await stranger.call({ method: 'GET', url, timeoutMs: 1000, headers })).status).toBe(401);
  });
});

function isHandover(value: string): boolean {
  const { task } = (JSON.parse(value) as Volume).control;
  return task?.kind === 'move' && task.copy !== null;
}

/** Resolves when the node's agent has compared so many times more. */
async function passes(node: TestNode, count: number): Promise<void> {
  let seen = 0;
  const { list } = node.storage;
  node.storage.list = async () => {
    seen += 1;
    return list();
  };
  await waitFor({
    ...{ clock, what: `${count} comparisons`, timeoutMs: 20 * count * RECONCILE_INTERVAL_MS },
    probe: async () => seen >= count || undefined,
  });
  node.storage.list = list;
}
