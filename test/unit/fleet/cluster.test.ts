import { describe, expect, it } from '@jest/globals';
import {
  type Cluster,
  checkedCount,
  clusterSchema,
  newNode,
  powered,
  scaled,
  withDevices,
} from '../../../src/fleet/cluster.ts';
import { BUILT_IN, builtInProfile, parseProfile } from '../../../src/fleet/profiles.ts';
import { clusterOf } from './clusters.ts';

const names = ({ nodes }: Cluster, leaving = 'no') =>
  nodes.filter((node) => node.leaving === leaving).map(({ name }) => name);

describe('a declared cluster', () => {
  it('grows with names that nobody has, and shrinks from its end', () => {
    const grown = scaled(clusterOf(2), 3, 'at-once');
    expect(names(grown)).toEqual(['sim-00001', 'sim-00002', 'sim-00003']);
    const shrunk = scaled(grown, 1, 'drained');
    expect(names(shrunk)).toEqual(['sim-00001']);
    expect(names(shrunk, 'drained')).toEqual(['sim-00002', 'sim-00003']);
    // Those that leave keep their names until they have left.
    expect(names(scaled(shrunk, 2, 'drained'))).toEqual(['sim-00001', 'sim-00004']);
    expect(scaled(grown, 3, 'drained')).toEqual(grown);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %p nodes', (count) => {
    expect(() => checkedCount(count)).toThrow(`'${count}' is no number of nodes`);
  });

  it('refuses a million nodes, and says how to have many', () => {
    expect(() => checkedCount(1_000_000)).toThrow(
      expect.objectContaining({ code: 'invalid', next: expect.stringContaining('--prefix') }),
    );
  });

  it('switches those that are named, or all, and counts cycles', () => {
    const off = powered(clusterOf(2), 'off', ['sim-00002']);
    expect(off.nodes.map(({ power }) => power)).toEqual(['on', 'off']);
    const cycled = powered(off, 'cycle', null);
    expect(cycled.nodes).toMatchObject([
      { power: 'on', cycles: 1 },
      { power: 'on', cycles: 1 },
    ]);
    expect(() => powered(off, 'on', ['sim-00002', 'sim-7'])).toThrow('there is no node sim-7');
  });

  it('keeps the nodes that see shared devices', () => {
    const cluster = withDevices(clusterOf(4), { count: 2, seenBy: 2 });
    expect(cluster.devices.map(({ seenBy }) => seenBy)).toEqual([
      ['sim-00001', 'sim-00002'],
      ['sim-00002', 'sim-00003'],
    ]);
    expect(names(scaled(cluster, 3, 'at-once'), 'at-once')).toEqual(['sim-00004']);
    expect(() => scaled(cluster, 2, 'at-once')).toThrow('3 of them see shared devices');
    expect(() => withDevices(clusterOf(1), { count: 1, seenBy: 2 })).toThrow('seen by 2 of 1 nodes');
  });

  it('says what is wrong with one that somebody wrote', () => {
    const faults = (fields: object) => clusterSchema.safeParse({ ...clusterOf(2), ...fields }).error?.message;
    expect(faults({ nodes: [newNode('a', 'plain'), newNode('a', 'plain')] })).toContain(
      'two members called a',
    );
    expect(faults({ nodes: [newNode('a', 'none')] })).toContain("no profile 'none', which a is of");
    expect(faults({ devices: [{ name: 'd', profile: 'plain', seenBy: ['x', 'sim-00001'] }] })).toContain(
      'no node x, which sees d',
    );
  });
});

describe('a hardware profile', () => {
  it('has defaults for all but the capacity', () => {
    expect(parseProfile({ capacityGib: 1 }, 'mine.yaml')).toEqual({
      capacityGib: 1,
      labels: {},
      latencyMs: { least: 0, most: 0 },
      failures: { disk: 0, nfs: 0, repliesDropped: 0 },
      logLinesPerSecond: 0,
    });
  });

  it.each(Object.keys(BUILT_IN))('%s is built in', (name) => {
    expect(builtInProfile(name)?.capacityGib).toBeGreaterThan(0);
  });

  it.each([
    [{}, 'capacityGib'],
    [{ capacityGib: 0 }, 'capacityGib'],
    [{ capacityGib: 'much' }, 'capacityGib'],
    [{ capacityGib: 1, failures: { disk: 2 } }, 'failures.disk'],
    [{ capacityGib: 1, latencyMs: { least: 9, most: 1 } }, 'latencyMs: least must not be above most'],
    [{ capacityGib: 1, colour: 'red' }, 'colour'],
    [{ capacityGib: 1, labels: { 'not a label!': 'x' } }, 'labels'],
    ['nonsense', 'the whole'],
    [null, 'the whole'],
  ])('refuses %j, naming %s', (input, field) => {
    expect(() => parseProfile(input, 'mine.yaml')).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(field) }),
    );
  });
});
