// When a node's disk may be taken away: what `GET /nodes/<name>` says of it must never be too good.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { nodeKey } from '../../src/kv/keys.ts';
import { clock, eventually, passes, type TestCluster, type TestNode } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

interface Told {
  readonly volumes: { readonly count: number };
  readonly remains: number | null;
  readonly disk: { readonly state: string } | null;
}

interface Gate extends Disposable {
  /** Resolves when a call is held up. */
  readonly reached: Promise<void>;
  open(): void;
}

/** Holds the calls of one of the disk's operations up from now on. */
function hold(node: TestNode, call: 'list' | 'trash'): Gate {
  const gate = Promise.withResolvers<void>();
  const storage: Record<string, unknown> = node.storage as never;
  const before = storage[call] as (...args: unknown[]) => Promise<unknown>;
  const first = Promise.withResolvers<void>();
  storage[call] = async (...args: unknown[]) => {
    first.resolve();
    await gate.promise;
    return before(...args);
  };
  const open = (): void => {
    storage[call] = before;
    gate.resolve();
  };
  // Else a test that fails would wait for ever for the agent to end.
  return { open, reached: first.promise, [Symbol.dispose]: open };
}

onEveryStore('what remains on a disk', ({ start }) => {
  const twoNodes = { a: { labels: { site: 'x' } }, b: { roles: ['agent'] } } as const;
  const told = async (cluster: TestCluster): Promise<Told> =>
    (await cluster.node('a').call('GET', '/nodes/a')).json;
  const until = (cluster: TestCluster, what: string, holds: (seen: Told) => boolean): Promise<Told> => {
    let last: Told | undefined;
    return waitFor({
      ...{ clock, what, timeoutMs: 10_000, intervalMs: 5 },
      probe: async () => {
        last = await told(cluster);
        return holds(last) ? last : undefined;
      },
      describe: () => JSON.stringify(last),
    });
  };
  /** A volume on node a, which knows that nothing else is there. */
  const prepare = async (cluster: TestCluster): Promise<string> => {
    const { id } = await cluster.create('a', {
      requested: { reserved_size: 1, constraints: { site: 'x' } },
    });
    const anywhere = { requested: { constraints: {} } };
    expect((await cluster.node('a').call('PUT', `/volumes/${id}`, anywhere)).status).toBe(202);
    await cluster.until(id, 'the volume to be ready', (volume) => volume?.state === 'ready');
    await until(cluster, 'nothing to remain', ({ remains }) => remains === 0);
    return id;
  };
  const drain = async (cluster: TestCluster): Promise<void> => {
    expect((await cluster.node('a').call('PUT', '/nodes/a', { draining: true })).status).toBe(202);
  };
  const isClear = ({ volumes, remains }: Told): boolean => volumes.count === 0 && remains === 0;

  it('is told before the handover, though no comparison comes to an end, and until the disk is clear', async () => {
    await using cluster = await start(twoNodes);
    await prepare(cluster);
    const node = cluster.node('a');
    using trash = hold(node, 'trash');
    using list = hold(node, 'list');
    await drain(cluster);
    // From here on nothing but the announcement can have told of it.
    const gone = await until(cluster, 'the volume to be given away', ({ volumes }) => volumes.count === 0);
    expect(gone.remains).toBe(1);
    list.open();
    await passes(node, 3);
    expect((await told(cluster)).remains).toBe(1);
    expect((await node.call('GET', '/nodes')).json.nodes[0]).toMatchObject({ name: 'a', remains: 1 });
    trash.open();
    await until(cluster, 'nothing to remain', isClear);
    expect([...node.storage.disk.subvolumes.keys(), ...node.storage.disk.copies.keys()]).toEqual([]);
  });

  it('is unknown after a restart, until the agent has looked', async () => {
    await using cluster = await start(twoNodes);
    await prepare(cluster);
    const node = cluster.node('a');
    await node.stop('agent');
    await node.start('agent', { 'move/after-verify': { effect: { kind: 'crash' }, count: 1 } });
    await drain(cluster);
    await node.crashed('agent');
    using trash = hold(node, 'trash');
    using list = hold(node, 'list');
    await node.start('agent');
    const since = await until(cluster, 'the agent to register', ({ remains }) => remains === null);
    expect(since.volumes.count).toBe(0);
    list.open();
    const seen = await until(cluster, 'it to be known', ({ remains }) => remains !== null);
    expect(seen.remains).toBe(1);
    trash.open();
    await until(cluster, 'nothing to remain', isClear);
    await node.stop('agent');
    expect((await told(cluster)).remains).toBeNull();
  });

  it('is unknown while the disk can not be read', async () => {
    await using cluster = await start(twoNodes);
    await prepare(cluster);
    const { storage } = cluster.node('a');
    const { list } = storage;
    storage.list = async () => {
      throw new Error('a test says so');
    };
    await until(cluster, 'it to be unknown', ({ remains }) => remains === null);
    storage.list = list;
    await until(cluster, 'it to be known', ({ remains }) => remains === 0);
  });

  it('does not keep word of a disk that fails from being given while a comparison lasts', async () => {
    await using cluster = await start(twoNodes);
    await prepare(cluster);
    const node = cluster.node('a');
    using list = hold(node, 'list');
    await list.reached;
    node.storage.health = async () => ({ state: 'failing', reason: 'a test says so' });
    await until(cluster, 'the disk to be told of', ({ disk }) => disk?.state === 'failing');
  });

  it('costs a node that is idle not one write', async () => {
    await using cluster = await start(twoNodes);
    await prepare(cluster);
    const revision = async () => (await cluster.kv.get(nodeKey('a'))).kv?.modRevision;
    const before = await revision();
    await passes(cluster.node('a'), 10);
    expect(await revision()).toBe(before);
    // Not because it has stopped to look.
    await cluster.node('a').storage.create({ id: 'v00000000000000aa', quotaBytes: 1 << 20 });
    await until(cluster, 'the orphan to be told of', ({ remains }) => remains === 1);
    await until(cluster, 'it to be gone', ({ remains }) => remains === 0);
    await eventually('the orphan to be gone', () => cluster.node('a').storage.disk.subvolumes.size === 1);
  });
});
