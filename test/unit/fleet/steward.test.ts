import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Cluster, powered, scaled, withDevices } from '../../../src/fleet/cluster.ts';
import { createFleet, type Fleet } from '../../../src/fleet/fleet.ts';
import { createSteward, type Steward } from '../../../src/fleet/steward.ts';
import { nodeKey } from '../../../src/kv/keys.ts';
import { createMemoryDisk, type MemoryDisk } from '../../../src/storage/memory.ts';
import { clusterOf } from './clusters.ts';
import { openFleet, type TestFleet } from './support.ts';

const DEVICE = 'sim-shared-00001';

let test: TestFleet;
let fleet: Fleet;
let steward: Steward;
let disks: Map<string, MemoryDisk>;

const addressOf = async (name: string): Promise<string | undefined> => {
  const found = (await test.kv.get(nodeKey(name))).kv;
  return found && (JSON.parse(found.value) as { address: string }).address;
};

beforeEach(async () => {
  test = await openFleet();
  fleet = createFleet();
  disks = new Map();
  steward = createSteward({
    ...{ world: test.world, fleet, clock: test.clock, spreadMs: 10_000 },
    disks: {
      open: (name, totalBytes) => {
        const disk = disks.get(name) ?? createMemoryDisk({ totalBytes });
        disks.set(name, disk);
        return disk;
      },
    },
  });
});

afterEach(() => {
  steward.stop();
  for (const node of fleet.nodes.values()) node.powerOff();
  test.end();
});

describe('the steward of a fleet', () => {
  it('spreads the starts over a heartbeat', async () => {
    steward.follow(clusterOf(10));
    await test.clock.advance(500);
    expect(fleet.counts()).toMatchObject({ nodes: 10, on: 1, registered: 1 });
    await test.clock.advance(5000);
    expect(fleet.counts().registered).toBe(6);
    expect(steward.isComplete()).toBe(false);
    await test.clock.advance(5000);
    expect(fleet.counts().registered).toBe(10);
    expect(steward.isComplete()).toBe(true);
  });

  it('has no more nodes on their way than get through, and waits for none that never does', async () => {
    steward.follow(clusterOf(1000));
    test.etcd.setAvailable(false);
    await test.clock.advance(9_900);
    expect(fleet.counts()).toMatchObject({ nodes: 1000, on: 200, registered: 0 });
    await test.clock.advance(10_000);
    expect(fleet.counts()).toMatchObject({ on: 400, registered: 0 });
    test.etcd.setAvailable(true);
    await test.clock.advance(30_000);
    expect(fleet.counts().registered).toBe(1000);
  });

  it('starts nothing that was switched off again before its turn', async () => {
    const cluster = clusterOf(10);
    steward.follow(cluster);
    await test.clock.advance(500);
    steward.follow(powered(cluster, 'off', null));
    await test.clock.advance(20_000);
    expect(fleet.counts().on).toBe(0);
    expect(steward.isComplete()).toBe(true);
  });

  it('does for a power cycle what off and on do, once', async () => {
    const cluster = clusterOf(1);
    steward.follow(cluster);
    await test.clock.advance(1000);
    const cycled = powered(cluster, 'cycle', null);
    steward.follow(cycled);
    await test.clock.advance(1000);
    steward.follow({ ...cycled });
    await test.clock.advance(1000);
    expect(fleet.nodes.get('sim-00001')).toMatchObject({ isOn: true, isRegistered: true, starts: 2 });
  });

  it('lets nodes that are no longer declared go, and starts new ones', async () => {
    const cluster = clusterOf(2);
    steward.follow(cluster);
    await test.clock.advance(10_000);
    const { nodes } = scaled(cluster, 3, 'at-once');
    const changed: Cluster = { ...cluster, nodes: nodes.slice(1) };
    steward.follow(changed);
    await test.clock.advance(10_000);
    expect([...fleet.nodes.keys()]).toEqual(['sim-00002', 'sim-00003']);
    expect(fleet.counts().registered).toBe(2);
  });

  it('fails a shared device over to the next node that sees it, and back', async () => {
    const cluster = withDevices(clusterOf(3), { count: 1, seenBy: 3 });
    steward.follow(cluster);
    await test.clock.advance(12_000);
    expect(await addressOf(DEVICE)).toBe('sim-00001');
    const disk = disks.get(DEVICE);
    const failed = powered(cluster, 'off', ['sim-00001']);
    steward.follow(failed);
    await test.clock.advance(4000);
    // The one has lost it, the other has yet to notice.
    expect(fleet.nodes.get(DEVICE)?.isOn).toBe(false);
    await test.clock.advance(2000);
    expect(await addressOf(DEVICE)).toBe('sim-00002');
    expect(steward.hostOf(DEVICE)).toBe('sim-00002');
    steward.follow(powered(failed, 'off', ['sim-00002']));
    await test.clock.advance(6000);
    expect(await addressOf(DEVICE)).toBe('sim-00003');
    steward.follow(powered(failed, 'on', null));
    await test.clock.advance(2000);
    expect(await addressOf(DEVICE)).toBe('sim-00001');
    // The same disk all the while, and never a stranger to it.
    expect(disk?.binding?.node).toBe(DEVICE);
    expect(test.lines.filter((line) => line.includes('disk.foreign'))).toEqual([]);
    steward.follow(powered(cluster, 'off', null));
    await test.clock.advance(20_000);
    expect(steward.hostOf(DEVICE)).toBeNull();
    expect(fleet.counts().on).toBe(0);
  });
});
