// Clones, moves, drains and the balance, from a client's call to the disk.

import { expect, it } from '@jest/globals';
import type { Volume } from '../../src/model/volume.ts';
import type { TestCluster } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const sized = (reserved_size: number, constraints = {}) => ({ requested: { reserved_size, constraints } });
const isReadyOn = (name: string) => (volume: Volume | undefined) =>
  volume?.state === 'ready' && volume.node === name;
const onDisk = (cluster: TestCluster, name: string): string[] =>
  [...cluster.node(name).storage.disk.subvolumes.keys()].sort();
const registered = (cluster: TestCluster, ...names: readonly string[]) =>
  Promise.all(names.map((name) => cluster.logged(name, 'agent.registered')));

onEveryStore('volumes', ({ start }) => {
  it('are cloned where they are, and clones too', async () => {
    await using cluster = await start({ a: { labels: { disk: 'ssd' } }, b: { roles: ['agent'] } });
    await registered(cluster, 'a', 'b');
    const { id } = await cluster.create('a', sized(1, { disk: 'ssd' }));
    const { call } = cluster.node('a');
    const first = await call('POST', '/volumes', { name: 'copy', id });
    expect(first.status).toBe(202);
    await cluster.until(first.json.id, 'the clone', isReadyOn('a'));
    const second = await call('POST', '/volumes', { name: 'copy', id: first.json.id });
    await cluster.until(second.json.id, 'the clone of the clone', isReadyOn('a'));
    expect(onDisk(cluster, 'a')).toEqual([id, first.json.id, second.json.id].sort());
  });

  it('move to the node that a client names, and to where they fit', async () => {
    await using cluster = await start({
      a: { capacityGib: 4, labels: { rack: '1' } },
      b: { roles: ['agent'], capacityGib: 4 },
      c: { roles: ['agent'], capacityGib: 8 },
    });
    await registered(cluster, 'a', 'b', 'c');
    const { id } = await cluster.create('a', sized(1, { rack: '1' }));
    const { call } = cluster.node('a');
    expect((await call('PUT', `/volumes/${id}`, sized(1))).status).toBe(202);
    await cluster.until(
      id,
      'to be bound no more',
      (volume) => volume?.actual?.constraints.rack === undefined,
    );
    await cluster.until(id, 'it to be ready', isReadyOn('a'));
    expect((await call('POST', `/volumes/${id}/move`, { node: 'b' })).status).toBe(202);
    await cluster.until(id, 'the move', isReadyOn('b'));
    expect((await call('PUT', `/volumes/${id}`, sized(6))).status).toBe(202);
    const grown = await cluster.until(id, 'the larger one', isReadyOn('c'));
    expect(grown.actual?.reserved_size).toBe(6);
    expect(onDisk(cluster, 'c')).toEqual([id]);
  });

  it('leave a node that drains', async () => {
    await using cluster = await start({ a: {}, b: { roles: [] } });
    await registered(cluster, 'a');
    const volumes = [];
    for (let count = 0; count < 3; count += 1) volumes.push(await cluster.create('a'));
    expect((await cluster.node('a').call('PUT', '/nodes/a', { draining: true })).status).toBe(202);
    for (const { id } of volumes) {
      await cluster.until(id, 'a reason', (volume) => volume?.control.error?.includes('draining') === true);
    }
    await cluster.node('b').start('agent');
    for (const { id } of volumes) {
      const moved = await cluster.until(id, 'it to be on b', isReadyOn('b'));
      expect(moved.control.error).toBeNull();
    }
    expect(onDisk(cluster, 'b')).toEqual(volumes.map(({ id }) => id).sort());
  });

  it('spread to a node that joins', async () => {
    await using cluster = await start({ a: { capacityGib: 4 }, b: { roles: [], capacityGib: 4 } });
    await registered(cluster, 'a');
    const volumes = [];
    for (let count = 0; count < 4; count += 1) volumes.push(await cluster.create('a'));
    await cluster.node('b').start('agent');
    // All of a against nothing of b: 50 % on the average, and 70 % is where giving ends.
    const ids = volumes.map(({ id }) => id);
    for (const id of ids.sort().slice(0, 2)) await cluster.until(id, 'it to be on b', isReadyOn('b'));
    for (const id of ids.slice(2))
      expect(await cluster.volume(id)).toMatchObject({ state: 'ready', node: 'a' });
  });
});
