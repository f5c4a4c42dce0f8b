import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import { type ClusterView, isDrawn, select } from '../../../../src/rig/faults/select.ts';

const VIEW: ClusterView = {
  nodes: ['a', 'b', 'c', 'd'],
  engines: ['a', 'b', 'c'],
  etcd: ['e1', 'e2', 'e3', 'e4', 'e5'],
  consumers: ['k'],
  leader: 'b',
  etcdLeader: 'e3',
};
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);
const drawn = (selector: string, view = VIEW) =>
  SEEDS.map((seed) => select(selector, view, createSeededRandom(seed)));

describe('selectors', () => {
  it.each([
    ['leader', ['b']],
    ['all', ['a', 'b', 'c', 'd']],
    ['etcd-leader', ['e3']],
    ['etcd-all', ['e1', 'e2', 'e3', 'e4', 'e5']],
    ['k', ['k']],
    [
      ['e1', 'a'],
      ['e1', 'a'],
    ],
  ])('%j is %j', (selector, members) => {
    expect(select(selector, VIEW, createSeededRandom(1))).toEqual(members);
  });

  it.each([
    ['follower', 1, ['a', 'c']],
    ['one', 1, VIEW.nodes],
    ['minority', 1, VIEW.nodes],
    ['majority', 2, VIEW.nodes],
    ['etcd-follower', 1, ['e1', 'e2', 'e4', 'e5']],
    ['etcd-one', 1, VIEW.etcd],
    ['etcd-minority', 2, VIEW.etcd],
    ['etcd-majority', 3, VIEW.etcd],
  ])('%s draws %i of %j, each of them at times', (selector, count, from) => {
    const all = drawn(selector);
    for (const members of all) {
      expect(new Set(members).size).toBe(count);
      expect(members).toEqual(from.filter((name) => members.includes(name)));
    }
    expect(new Set(all.flat())).toEqual(new Set(from));
  });

  it('draws the same from the same seed', () => {
    expect(drawn('etcd-minority')).toEqual(drawn('etcd-minority'));
  });

  it.each([
    ['leader', { ...VIEW, leader: undefined }, "nobody in the cluster is 'leader' now"],
    ['follower', { ...VIEW, engines: ['b'] }, "nobody in the cluster is 'follower' now"],
    ['minority', { ...VIEW, nodes: ['a', 'b'] }, "nobody in the cluster is 'minority' now"],
    ['etcd-minority', { ...VIEW, etcd: ['e1'] }, "nobody in the cluster is 'etcd-minority' now"],
    ['etcd-leader', { ...VIEW, etcdLeader: undefined }, "nobody in the cluster is 'etcd-leader' now"],
    ['x', VIEW, "no member 'x'"],
    [['a', 'x'], VIEW, "no member 'x'"],
  ] as const)('%j is never nobody', (selector, view, message) => {
    expect(() => select(selector, view, createSeededRandom(1))).toThrow(message);
  });

  it('knows what is drawn from what is named', () => {
    expect(['one', 'etcd-majority', 'a', ['one']].map(isDrawn)).toEqual([true, true, false, false]);
  });
});
