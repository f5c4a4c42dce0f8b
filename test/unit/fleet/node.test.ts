import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeKey, volumeKey } from '../../../src/kv/keys.ts';
import { nodeSchema } from '../../../src/model/node.ts';
import { parseStored } from '../../../src/model/parse.ts';
import { volumeSchema } from '../../../src/model/volume.ts';
import { volumeOf } from '../model/volumes.ts';
import { openFleet, type TestFleet } from './support.ts';

const A = 'v00000000000000aa';

let fleet: TestFleet;

const live = async (name: string) => {
  const found = (await fleet.kv.get(nodeKey(name))).kv;
  return found && parseStored(nodeSchema, found);
};

const order = (id: string, node: string) =>
  fleet.kv.transact({
    compare: [],
    writes: [
      {
        kind: 'put',
        key: volumeKey(id),
        value: JSON.stringify(
          volumeOf({ id, node, exports: [{ host: '10.0.0.1', access: 'rw', squash: 'none' }] }),
        ),
      },
    ],
  });

const stateOf = async (id: string) => {
  const found = (await fleet.kv.get(volumeKey(id))).kv;
  return found && parseStored(volumeSchema, found).state;
};

beforeEach(async () => {
  fleet = await openFleet();
});

afterEach(() => fleet.end());

describe('a simulated node', () => {
  it('registers as a virtual one, takes work, and exports what it made', async () => {
    const node = fleet.node('a', { profile: { capacityGib: 32 } });
    node.powerOn();
    await fleet.clock.advance(1000);
    expect(await live('a')).toMatchObject({ virtual: true, capacity: 32, roles: ['agent'], address: 'a' });
    expect(node.isRegistered).toBe(true);
    await order(A, 'a');
    await fleet.clock.advance(1000);
    expect(await stateOf(A)).toBe('ready');
    expect(node.exports).toBe(1);
    expect([...node.disk.subvolumes.keys()]).toEqual([A]);
  });

  it('keeps its lease with three heartbeats in its time to live', async () => {
    fleet.node('a').powerOn();
    await fleet.clock.advance(120_000);
    expect(await live('a')).toBeDefined();
    expect(fleet.world.figures).toMatchObject({ registered: 1, lostLeases: 0, errors: 0 });
  });

  it('goes without a word when its power does, and has its disk when that is back', async () => {
    const node = fleet.node('a');
    node.powerOn();
    await fleet.clock.advance(1000);
    await order(A, 'a');
    await fleet.clock.advance(1000);
    node.powerOff();
    const revision = fleet.etcd.revision;
    expect(node.exports).toBe(0);
    // Dead, and nobody knows.
    await fleet.clock.advance(20_000);
    expect(await live('a')).toBeDefined();
    expect(fleet.etcd.revision).toBe(revision);
    await fleet.clock.advance(15_000);
    expect(await live('a')).toBeUndefined();
    node.powerOn();
    await fleet.clock.advance(1000);
    expect(await live('a')).toBeDefined();
    expect(node.exports).toBe(1);
  });

  it('leaves no timer behind', async () => {
    const before = fleet.clock.pendingTimers;
    const node = fleet.node('a');
    node.powerOn();
    await fleet.clock.advance(1000);
    node.powerOff();
    // Of the lease, in etcd.
    expect(fleet.clock.pendingTimers).toBeLessThanOrEqual(before + 1);
  });

  it('gives its lease up when it is shut down', async () => {
    const node = fleet.node('a');
    node.powerOn();
    await fleet.clock.advance(1000);
    const ended = node.shutDown();
    await fleet.clock.advance(1000);
    await ended;
    expect(await live('a')).toBeUndefined();
    expect(node.isOn).toBe(false);
  });

  it('waits for nothing for ever when it is shut down: not for etcd, nor for its power', async () => {
    const [a, b] = [fleet.node('a'), fleet.node('b')];
    a.powerOn();
    b.powerOn();
    await fleet.clock.advance(1000);
    fleet.etcd.setAvailable(false);
    const ended = Promise.all([a.shutDown(), b.shutDown()]);
    b.powerOff();
    await fleet.clock.advance(10_000);
    await ended;
    expect([a.isOn, b.isOn]).toEqual([false, false]);
  });

  it('comes back after an outage that has cost it its lease', async () => {
    const node = fleet.node('a');
    node.powerOn();
    await fleet.clock.advance(1000);
    fleet.etcd.setAvailable(false);
    await fleet.clock.advance(60_000);
    expect(fleet.world.figures.lostLeases).toBe(1);
    fleet.etcd.setAvailable(true);
    await fleet.clock.advance(45_000);
    expect(await live('a')).toBeDefined();
    expect(node.isRegistered).toBe(true);
  });

  it('says of a disk that fails that it does, and goes on', async () => {
    const node = fleet.node('a', { profile: { failures: { disk: 1, nfs: 0, repliesDropped: 0 } } });
    node.powerOn();
    await fleet.clock.advance(60_000);
    // Which cluster the disk belongs to can't be read: nothing is touched.
    expect(node.isRegistered).toBe(false);
    expect(fleet.world.figures.errors).toBeGreaterThan(0);
  });

  it('gets there although answers are lost after the work was done', async () => {
    const node = fleet.node('a', { profile: { failures: { disk: 0, nfs: 0, repliesDropped: 0.5 } } });
    node.powerOn();
    await fleet.clock.advance(60_000);
    await order(A, 'a');
    await fleet.clock.advance(120_000);
    expect(node.isRegistered).toBe(true);
    expect(await stateOf(A)).toBe('ready');
  });
});
