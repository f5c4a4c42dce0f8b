// The balance of the cluster.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { actualOf, nodeOf, volumeOf } from '../../model/volumes.ts';
import { run } from './loop.ts';
import { actionsFor, idOf, NOW, sized, specOf } from './support.ts';

const percent = (rebalancePercent: number, maxMoves = 2) => ({ rebalancePercent, maxMoves });
const on = (node: string, gibs: readonly number[], from = 1) =>
  gibs.map((gib, index) => sized(from + index, node, gib));

describe('the balance', () => {
  it('is restored when a node joins, the largest volumes first', () => {
    const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name));
    const volumes = [...on('a', [1, 2, 4]), ...on('b', [1, 1], 4)];
    // The average is 30 %.
    expect(actionsFor({ nodes, volumes }, percent(20))).toMatchObject([
      { kind: 'move', volume: { id: idOf(3) }, node: 'c', cause: 'rebalance' },
    ]);
    expect(actionsFor({ nodes, volumes }, percent(45))).toEqual([]);
    expect(actionsFor({ nodes, volumes }, percent(100))).toEqual([]);
    expect(actionsFor({ nodes, volumes }, percent(20, 0))).toEqual([]);
  });

  it('leaves alone what a client had moved there', () => {
    const volumes = on('a', [6, 3]).map((volume) => ({
      ...volume,
      actual: actualOf({ reserved_size: volume.requested.reserved_size, pinned: true }),
    }));
    expect(actionsFor({ volumes }, percent(20))).toEqual([]);
    const [first, ...others] = volumes;
    const loose = [...on('a', [6]), ...others];
    expect(first?.id).toBe(loose[0]?.id);
    expect(actionsFor({ volumes: loose }, percent(20))).toMatchObject([
      { kind: 'move', volume: { id: idOf(1) } },
    ]);
  });

  it('is by the part of the capacity, not by the size', () => {
    const nodes = [nodeOf('a', { capacity: 100, available: 100 }), nodeOf('b')];
    expect(actionsFor({ nodes, volumes: on('a', [8, 8]) }, percent(20))).toEqual([]);
    expect(actionsFor({ nodes, volumes: on('b', [4, 2]) }, percent(20))).toMatchObject([
      { kind: 'move', node: 'a' },
    ]);
  });

  it('does not make a receiver one that must give, or swap places', () => {
    // 9 of 10 on the one, 0 of 10 on the other: the average is 45 %.
    expect(actionsFor({ volumes: on('a', [9]) }, percent(20))).toEqual([]);
    expect(actionsFor({ volumes: on('a', [6, 3]) }, percent(20))).toMatchObject([
      { kind: 'move', volume: { id: idOf(1) } },
    ]);
    expect(actionsFor({ volumes: on('a', [7, 2]) }, percent(20))).toMatchObject([
      { kind: 'move', volume: { id: idOf(2) } },
    ]);
  });

  it('leaves a small node full rather than empty', () => {
    const nodes = [nodeOf('a', { capacity: 1 }), nodeOf('b', { capacity: 100, available: 100 })];
    // Half of the other is reserved: 100 % is as far from the average as nothing would be.
    const volumes = [...on('a', [1]), ...on('b', [25, 25], 2)];
    expect(actionsFor({ nodes, volumes }, percent(10))).toEqual([]);
  });

  it('heeds constraints, draining, disks and room', () => {
    const volumes = on('a', [3, 3, 3]);
    const bound = volumes.map((volume) => ({
      ...volume,
      requested: { reserved_size: 3, constraints: { disk: 'ssd' } },
    }));
    const ssd = new Map([['a', specOf({ labels: { disk: 'ssd' } })]]);
    expect(actionsFor({ volumes }, percent(20))).not.toEqual([]);
    expect(actionsFor({ volumes: bound, specs: ssd }, percent(20))).toEqual([]);
    expect(actionsFor({ volumes, specs: new Map([['b', specOf({ draining: true })]]) }, percent(20))).toEqual(
      [],
    );
    const others = [nodeOf('b', { disk: { state: 'full', reason: 'it is' } }), nodeOf('b', { available: 1 })];
    for (const other of others) {
      expect(actionsFor({ nodes: [nodeOf('a'), other], volumes }, percent(20))).toEqual([]);
    }
  });

  it('reckons with moves under way as if they had ended', () => {
    const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name));
    const leaving = sized(
      4,
      'a',
      4,
      { state: 'moving' },
      { task: { kind: 'move', cause: 'rebalance', node: 'c', copy: null } },
    );
    expect(actionsFor({ nodes, volumes: [...on('a', [1, 2]), leaving] }, percent(20, 5))).toEqual([]);
  });

  it('waits until other work is planned, and nodes are drained', () => {
    const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name));
    const volumes = on('a', [3, 3, 3]);
    expect(actionsFor({ nodes, volumes: [...volumes, volumeOf()] }, percent(20))).toMatchObject([
      { kind: 'assign' },
    ]);
    const drained = sized(
      9,
      'b',
      1,
      { state: 'moving' },
      { task: { kind: 'move', cause: 'drain', node: 'c', copy: null } },
    );
    expect(actionsFor({ nodes, volumes: [...volumes, drained] }, percent(20))).toEqual([]);
  });

  it('comes to an end, with every move bringing the nodes closer together', () => {
    const gib = fc.integer({ min: 1, max: 60 }).map((tenths) => tenths / 10);
    const capacity = fc.integer({ min: 10, max: 400 });
    const cluster = fc.record({
      capacities: fc.array(capacity, { minLength: 2, maxLength: 6 }),
      volumes: fc.array(fc.tuple(gib, fc.nat(2)), { maxLength: 24 }),
    });
    const spread = ({ nodes, volumes }: ClusterState): number =>
      nodes.reduce((sum, { name, capacity }) => {
        const gibs = volumes
          .filter(({ node }) => node === name)
          .map(({ requested }) => requested.reserved_size);
        const reserved = gibs.reduce((total, size) => total + size, 0);
        return sum + reserved ** 2 / capacity;
      }, 0);
    fc.assert(
      fc.property(cluster, fc.integer({ min: 1, max: 3 }), ({ capacities, volumes }, maxMoves) => {
        const nodes = capacities.map((capacity, index) => nodeOf(`n${index}`, { capacity, available: 1000 }));
        const start = {
          nodes,
          specs: new Map(),
          volumes: volumes.map(([gib, node], index) => sized(index, `n${node % nodes.length}`, gib)),
        };
        const options = { ...NOW, ...percent(10, maxMoves) };
        const { end, steps } = run(start, { options, coins: [].values() });
        const moved = steps.flatMap(({ actions }) => actions.map(({ volume }) => volume.id));
        expect(new Set(moved).size).toBe(moved.length);
        if (moved.length === 0) expect(end).toEqual(start);
        else expect(spread(end)).toBeLessThan(spread(start));
      }),
      { numRuns: 300 },
    );
  });
});
