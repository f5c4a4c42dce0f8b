// What /metrics tells of the cluster, over a store in memory and in virtual time.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../../../src/base/log.ts';
import { createClusterObserver } from '../../../../src/daemon/api/cluster-observer.ts';
import { createApiMetrics } from '../../../../src/daemon/api/metrics.ts';
import { LEADER_KEY, nodeKey, specKey, volumeKey } from '../../../../src/kv/keys.ts';
import type { Node, NodeSpec } from '../../../../src/model/node.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { createWorld, put, remove } from '../../kv/support.ts';
import { nodeOf, readyVolume, volumeOf } from '../../model/volumes.ts';

const GIB = 1024 ** 3;
const id = (digit: number): string => `v${String(digit).padStart(16, '0')}`;

let world: ReturnType<typeof createWorld>;
let isReachable: boolean | undefined;
let lists: number;
/** What /metrics answers, without comments: by name and labels other than `node`. */
let scrape: () => Promise<Readonly<Record<string, number>>>;

beforeEach(() => {
  world = createWorld();
  isReachable = true;
  lists = 0;
  const { clock, random } = world;
  const kv = {
    ...world.kv,
    list: (...args: Parameters<typeof world.kv.list>) => {
      lists += 1;
      return world.kv.list(...args);
    },
  };
  const log = createLog({ write: () => undefined, nowMs: clock.nowMs });
  const observe = createClusterObserver({
    kv,
    clock,
    random,
    log,
    node: 'a',
    isReachable: () => isReachable,
  });
  const metrics = createApiMetrics({ node: 'a', isReachable: () => isReachable, observe, ofProcess: false });
  scrape = async () => {
    await clock.settle();
    const rendering = metrics.render();
    // As long as the first may wait.
    await clock.advance(500);
    const lines = (await rendering).text.split('\n').filter((text) => text !== '' && !text.startsWith('#'));
    const cluster = lines.filter((text) => !text.startsWith('cobalt_api_'));
    expect(cluster.filter((text) => !text.includes('node="a"'))).toEqual([]);
    return Object.fromEntries(
      cluster.map((text) => {
        const [, name = '', value = ''] = /^(.*) (\S+)$/.exec(text) ?? [];
        return [name.replace(/,?node="a"/, '').replace('{}', ''), Number(value)];
      }),
    );
  };
});

const putVolume = (volume: Volume) => put(world.kv, volumeKey(volume.id), JSON.stringify(volume));
const putNode = (name: string, more: Partial<Node> = {}) =>
  put(world.kv, nodeKey(name), JSON.stringify(nodeOf(name, more)));
const putSpec = (name: string, more: Partial<NodeSpec> = {}) => {
  const spec = { volume_path: '/srv', capacity: 8, labels: {}, draining: false, ...more };
  return put(world.kv, specKey(name), JSON.stringify(spec));
};
const lead = (node: string, instance: string) =>
  put(world.kv, LEADER_KEY, JSON.stringify({ node, instance, since: '2026-01-01T00:00:00.000Z' }));
const updatedAfterMs = (ms: number) => ({ updated: new Date(world.clock.nowMs() + ms).toISOString() });

it('counts nodes and volumes by state, zeros included', async () => {
  for (const name of ['a', 'b', 'c']) await putSpec(name, { draining: name === 'b' });
  for (const name of ['a', 'b', 'new']) await putNode(name);
  await putVolume(readyVolume({ id: id(1) }));
  await putVolume(readyVolume({ id: id(2) }));
  await putVolume(volumeOf({ id: id(3), state: 'error' }));
  await put(world.kv, volumeKey(id(4)), '{"id":');
  expect(await scrape()).toMatchObject({
    'cobalt_nodes{state="alive"}': 2,
    'cobalt_nodes{state="draining"}': 1,
    'cobalt_nodes{state="away"}': 1,
    'cobalt_volumes{state="ready"}': 2,
    'cobalt_volumes{state="error"}': 1,
    'cobalt_volumes{state="moving"}': 0,
    'cobalt_volume_state_age_seconds{state="moving"}': 0,
    cobalt_view_age_seconds: 0,
  });
});

it('has as many metrics for a large cluster as for a small one', async () => {
  await putNode('a');
  await putSpec('a');
  const small = Object.keys(await scrape());
  for (let count = 0; count < 20; count += 1) {
    await putNode(`n${count}`);
    await putVolume(readyVolume({ id: id(count), node: `n${count}` }));
  }
  expect(Object.keys(await scrape())).toEqual(small);
});

describe('of its own node', () => {
  it('tells what is reserved, what is free, and how the disk is', async () => {
    await putSpec('a', { capacity: 8 });
    await putNode('a', { capacity: 4, available: 3, disk: { state: 'read-only', reason: 'EIO' } });
    await putVolume(readyVolume({ id: id(1), requested: { reserved_size: 2, constraints: {} } }));
    await putVolume(readyVolume({ id: id(2), node: 'b' }));
    expect(await scrape()).toMatchObject({
      cobalt_node_registered: 1,
      cobalt_node_capacity_bytes: 8 * GIB,
      cobalt_node_reserved_bytes: 2 * GIB,
      cobalt_node_available_bytes: 3 * GIB,
      'cobalt_node_disk_state{state="ok"}': 0,
      'cobalt_node_disk_state{state="read-only"}': 1,
    });
  });

  it('does not go on telling what only an agent knows that is away', async () => {
    await putSpec('a');
    await putNode('a');
    await scrape();
    await remove(world.kv, nodeKey('a'));
    const told = await scrape();
    expect(told).toMatchObject({ cobalt_node_registered: 0, cobalt_node_capacity_bytes: 8 * GIB });
    expect(Object.keys(told).filter((name) => /available|disk_state/.test(name))).toEqual([]);
  });

  it('tells nothing where no agent was ever registered', async () => {
    await putSpec('b');
    expect(Object.keys(await scrape()).filter((name) => name.startsWith('cobalt_node_'))).toEqual([]);
  });
});

it('tells who leads and how often that has changed, but not that the first came to lead', async () => {
  expect(await scrape()).toMatchObject({ cobalt_leader_changes_total: 0 });
  await lead('a', 'a1');
  expect(await scrape()).toMatchObject({
    'cobalt_leader_info{leader="a"}': 1,
    cobalt_leader_changes_total: 0,
  });
  await remove(world.kv, LEADER_KEY);
  expect(Object.keys(await scrape()).filter((name) => name.includes('info'))).toEqual([]);
  // The same engine again, then its successor on the same node, then another node's.
  await lead('a', 'a1');
  await lead('a', 'a2');
  await lead('b', 'b1');
  expect(await scrape()).toMatchObject({
    'cobalt_leader_info{leader="b"}': 1,
    cobalt_leader_changes_total: 2,
  });
});

describe('the age of a state', () => {
  const age = 'cobalt_volume_state_age_seconds{state="moving"}';
  const moving = (digit: number, updated: { readonly updated: string }) =>
    putVolume(readyVolume({ id: id(digit), state: 'moving' }, updated));

  it('counts from when the state began, whatever is written of the volume since', async () => {
    await putVolume(readyVolume({ id: id(1) }, updatedAfterMs(0)));
    await scrape();
    await moving(1, updatedAfterMs(0));
    await world.clock.advance(60_000);
    await moving(1, updatedAfterMs(0));
    await moving(2, updatedAfterMs(0));
    expect((await scrape())[age]).toBeCloseTo(60, 0);
    await remove(world.kv, volumeKey(id(1)));
    expect((await scrape())[age]).toBeLessThan(2);
    await putVolume(readyVolume({ id: id(2) }, updatedAfterMs(0)));
    expect((await scrape())[age]).toBe(0);
  });

  it('counts from the last change of what was there before, and is never negative', async () => {
    await moving(1, updatedAfterMs(-30_000));
    expect((await scrape())[age]).toBeCloseTo(30, 0);
    await moving(2, updatedAfterMs(90_000));
    await remove(world.kv, volumeKey(id(1)));
    expect((await scrape())[age]).toBe(0);
  });

  it('goes on through a loss of the watch', async () => {
    await moving(1, updatedAfterMs(0));
    await scrape();
    await moving(1, updatedAfterMs(0));
    world.store.setAvailable(false);
    await world.clock.advance(10_000);
    expect((await scrape()).cobalt_view_age_seconds).toBeGreaterThan(9);
    world.store.setAvailable(true);
    await world.clock.advance(10_000);
    expect((await scrape())[age]).toBeGreaterThan(20);
  });
});

describe('while etcd is away', () => {
  it('answers in time with what was known, and how old that is', async () => {
    await putVolume(readyVolume());
    expect(await scrape()).toMatchObject({ cobalt_view_age_seconds: 0 });
    isReachable = false;
    await world.clock.advance(30_000);
    expect(await scrape()).toMatchObject({ 'cobalt_volumes{state="ready"}': 1, cobalt_etcd_reachable: 0 });
    expect((await scrape()).cobalt_view_age_seconds).toBeGreaterThan(30);
    isReachable = true;
    expect(await scrape()).toMatchObject({ cobalt_view_age_seconds: 0 });
  });

  it('tells nothing of a cluster that it has never seen, until it sees it', async () => {
    world.store.setAvailable(false);
    expect(Object.keys(await scrape())).toEqual(['cobalt_etcd_reachable']);
    world.store.setAvailable(true);
    await world.clock.advance(2_000);
    expect(await scrape()).toMatchObject({ 'cobalt_nodes{state="alive"}': 0 });
  });
});

it('lists the store once, however often it is asked', async () => {
  for (let count = 0; count < 5; count += 1) await scrape();
  expect(lists).toBe(1);
});
