// What holds of any plan, and of what comes of it, whatever the cluster is like.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gibToBytes } from '../../../../src/base/units.ts';
import type { Action } from '../../../../src/daemon/engine/action.ts';
import { plan } from '../../../../src/daemon/engine/plan.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { satisfies } from '../../../../src/model/names.ts';
import { illegality, isOnItsWay, reservationsOf } from '../../../../src/model/volume.ts';
import { clusters, roomyClusters } from './clusters.ts';
import { run } from './loop.ts';
import { createStorm, stormPlans } from './storm.ts';
import { applied, NOW } from './support.ts';

const options = fc.record({
  maxMoves: fc.integer({ min: 1, max: 3 }),
  rebalancePercent: fc.constantFrom(5, 20, 100),
});
const coins = fc.infiniteStream(fc.boolean());

const reservedOn = ({ volumes }: ClusterState, name: string): number =>
  volumes
    .flatMap(reservationsOf)
    .filter(({ node }) => node === name)
    .reduce((sum, { bytes }) => sum + bytes, 0);

/** What was too much before may stay; nothing may be added to it. */
function expectNoOvercommit(before: ClusterState, after: ClusterState): void {
  for (const { name, capacity } of before.nodes) {
    const most = Math.max(gibToBytes(capacity), reservedOn(before, name));
    expect(reservedOn(after, name)).toBeLessThanOrEqual(most);
  }
}

/** The node that the action puts the volume on, if it does. */
function targetOf(action: Action): string | undefined {
  if (action.kind === 'assign' || action.kind === 'clone' || action.kind === 'move') return action.node;
  return action.kind === 'retry' && action.volume.actual === null ? (action.node ?? undefined) : undefined;
}

const isRebalance = (action: Action): boolean => action.kind === 'move' && action.cause === 'rebalance';

/** One whose node is away is at a standstill, and so is one that was handed over to a node whose disk is broken. */
const unaskedMoves = ({ volumes, nodes }: ClusterState): number =>
  volumes.filter((volume) => {
    const { state, control } = volume;
    const node = nodes.find(({ name }) => name === volume.node);
    if (state !== 'moving' || control.task?.kind !== 'move' || control.task.cause === 'asked') return false;
    return isOnItsWay(volume) ? node !== undefined : node?.disk.state === 'ok';
  }).length;

/** A snapshot can't be made on a disk that takes no writes. */
function expectEmptied(start: ClusterState, end: ClusterState): void {
  const emptied = start.nodes.filter(
    ({ name, disk }) => start.specs.get(name)?.draining && disk.state !== 'read-only',
  );
  for (const { name } of emptied) expect(end.volumes.filter(({ node }) => node === name)).toEqual([]);
}

describe('any plan', () => {
  it('never overcommits a node, applied as a whole, in part, and in any order', () => {
    fc.assert(
      fc.property(clusters, options, coins, (before, settings, some) => {
        const { actions } = plan(before, { ...NOW, ...settings });
        expectNoOvercommit(before, actions.reduce(applied, before));
        const part = actions.filter(() => some.next().value).reverse();
        expectNoOvercommit(before, part.reduce(applied, before));
      }),
    );
  });

  it('puts volumes on live nodes that take them and satisfy their constraints, and nowhere else', () => {
    fc.assert(
      fc.property(clusters, options, (before, settings) => {
        for (const action of plan(before, { ...NOW, ...settings }).actions) {
          const name = targetOf(action);
          if (name === undefined) continue;
          const node = before.nodes.find((candidate) => candidate.name === name);
          expect(node?.disk.state).toBe('ok');
          expect(satisfies(node?.labels ?? {}, action.volume.requested.constraints)).toBe(true);
          if (action.kind === 'clone') {
            const parent = before.volumes.find(({ id }) => id === action.volume.control.parent_id);
            expect(parent).toMatchObject({ node: name });
          } else {
            expect(before.specs.get(name)?.draining).toBe(false);
          }
          const { task } = action.volume.control;
          if (action.kind !== 'move' || action.cause !== 'asked' || task?.kind !== 'move') continue;
          expect([null, name]).toContain(task.node);
        }
      }),
    );
  });

  it('makes legal changes only, and one at most of each volume', () => {
    fc.assert(
      fc.property(clusters, options, (before, settings) => {
        const { actions } = plan(before, { ...NOW, ...settings });
        expect(new Set(actions.map(({ volume }) => volume.id)).size).toBe(actions.length);
        for (const action of actions) {
          const after = applied(before, action).volumes.find(({ id }) => id === action.volume.id);
          expect(illegality(action.volume, after)).toBeUndefined();
        }
      }),
    );
  });

  it('keeps parents where their clones are made', () => {
    fc.assert(
      fc.property(clusters, options, (before, settings) => {
        const { actions } = plan(before, { ...NOW, ...settings });
        const clones = before.volumes.filter(({ state }) => state === 'cloning');
        const movers = actions.filter(({ kind }) => kind === 'move').map(({ volume }) => volume);
        for (const { id, node } of movers) {
          expect(clones.filter((clone) => clone.control.parent_id === id && clone.node === node)).toEqual([]);
        }
        const leaving = movers.map(({ id }) => id);
        for (const { kind, volume } of actions) {
          if (kind !== 'clone') continue;
          const parent = before.volumes.find(({ id }) => id === volume.control.parent_id);
          expect(parent?.state).not.toBe('moving');
          expect(leaving).not.toContain(parent?.id);
        }
      }),
    );
  });

  it('is the same for the same state', () => {
    fc.assert(
      fc.property(clusters, options, (before, settings) => {
        const all = { ...NOW, ...settings };
        expect(plan(structuredClone(before), all)).toEqual(plan(before, all));
      }),
    );
  });
});

describe('any plan, carried out', () => {
  it('comes to an end, moves no volume twice for one cause, and not too many at a time', () => {
    fc.assert(
      fc.property(clusters, options, coins, (start, settings, slow) => {
        const { steps } = run(start, { options: { ...NOW, ...settings }, coins: slow });
        const moved = new Set<string>();
        for (const { before, actions, after } of steps) {
          expect(unaskedMoves(after)).toBeLessThanOrEqual(Math.max(settings.maxMoves, unaskedMoves(before)));
          expectNoOvercommit(before, after);
          for (const action of actions) {
            if (action.kind !== 'move') continue;
            const move = `${action.volume.id} for ${action.cause}`;
            expect(moved).not.toContain(move);
            moved.add(move);
          }
          // Another balance: what is placed or leaves for another reason weighs in.
          const isOther = actions.some((action) => action.kind !== 'delay' && !isRebalance(action));
          if (isOther) for (const move of moved) if (move.endsWith('rebalance')) moved.delete(move);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('empties draining nodes when there is room elsewhere', () => {
    fc.assert(
      fc.property(roomyClusters, options, coins, (start, settings, slow) => {
        const { end } = run(start, { options: { ...NOW, ...settings }, coins: slow });
        expectEmptied(start, end);
      }),
      { numRuns: 300 },
    );
  });

  it('comes to an end, and has emptied draining nodes, when all is well again after whatever has failed', () => {
    fc.assert(
      fc.property(roomyClusters, options, coins, stormPlans, (start, settings, slow, weather) => {
        const storm = createStorm(weather, start);
        const { end, steps } = run(start, { options: { ...NOW, ...settings }, coins: slow, storm });
        for (const { before, actions, after } of steps) {
          expect(unaskedMoves(after)).toBeLessThanOrEqual(Math.max(settings.maxMoves, unaskedMoves(before)));
          expectNoOvercommit(before, after);
          for (const action of actions) {
            const next = after.volumes.find(({ id }) => id === action.volume.id);
            expect(illegality(action.volume, next)).toBeUndefined();
          }
        }
        expectEmptied(start, end);
      }),
      { numRuns: 300 },
    );
  });
});
