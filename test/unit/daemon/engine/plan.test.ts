// What the plan does about creation, sizes, failures and deletion.

import { describe, expect, it } from '@jest/globals';
import type { Action } from '../../../../src/daemon/engine/action.ts';
import { plan, retryDelayMs } from '../../../../src/daemon/engine/plan.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { actualOf, nodeOf, readyVolume, T0, volumeOf } from '../../model/volumes.ts';
import { applied, NOW, specOf, state } from './support.ts';

describe('the plan', () => {
  it('picks the node with the most room, the first by name of equals', () => {
    const taken = readyVolume({ id: 'v00000000000000aa' });
    expect(plan(state({ volumes: [volumeOf()] }), NOW).actions).toMatchObject([
      { kind: 'assign', node: 'a' },
    ]);
    expect(plan(state({ volumes: [taken, volumeOf()] }), NOW).actions).toMatchObject([
      { kind: 'assign', node: 'b' },
    ]);
  });

  it('leaves a volume to a living agent, and takes it from a dead one', () => {
    expect(plan(state({ volumes: [volumeOf({ node: 'b' })] }), NOW).actions).toEqual([]);
    expect(plan(state({ volumes: [volumeOf({ node: 'dead' })] }), NOW).actions).toMatchObject([
      { kind: 'assign', node: 'a' },
    ]);
    expect(plan(state({ volumes: [volumeOf({ node: 'dead' })], nodes: [] }), NOW).actions).toMatchObject([
      { kind: 'unassign' },
    ]);
    // It is on a disk: nobody else can have it.
    expect(plan(state({ volumes: [readyVolume({ node: 'dead' })] }), NOW).actions).toEqual([]);
  });

  it('leaves a volume that is on a disk already to its node, and says so when that is away', () => {
    const [half, draining] = [volumeOf({ node: 'a', actual: actualOf() }), specOf({ draining: true })];
    expect(plan(state({ volumes: [half] }), NOW).actions).toEqual([]);
    expect(plan(state({ specs: new Map([['a', draining]]), volumes: [half] }), NOW).actions).toEqual([]);
    const before = state({ nodes: [nodeOf('b')], volumes: [half] });
    const [action] = plan(before, NOW).actions;
    expect(action).toMatchObject({ kind: 'delay', reason: 'node a is away' });
    expect(plan(applied(before, action as Action), NOW).actions).toEqual([]);
  });

  it('fills no disk', () => {
    const asking = (nodes: ClusterState['nodes']) =>
      plan(state({ volumes: [volumeOf()], nodes }), NOW).actions;
    // 64 MiB are left, or 1 % of the disk.
    expect(asking([nodeOf('a', { capacity: 2, available: 1.07 })])).toMatchObject([{ kind: 'assign' }]);
    expect(asking([nodeOf('a', { capacity: 2, available: 1.06 })])).toMatchObject([{ kind: 'delay' }]);
    expect(asking([nodeOf('a', { capacity: 100, available: 2.01 })])).toMatchObject([{ kind: 'assign' }]);
    expect(asking([nodeOf('a', { capacity: 100, available: 1.99 })])).toMatchObject([{ kind: 'delay' }]);
  });

  it('heeds constraints, draining, the spec, and what the disk has free', () => {
    const wants = volumeOf({ requested: { reserved_size: 1, constraints: { disk: 'ssd' } } });
    const nodes = [nodeOf('a'), nodeOf('b', { labels: { disk: 'ssd' } })];
    const actionsWith = (fields: Partial<ClusterState>) =>
      plan(state({ volumes: [wants], nodes, ...fields }), NOW).actions;
    expect(actionsWith({})).toMatchObject([{ kind: 'assign', node: 'b' }]);
    const spec = { volume_path: '/srv', capacity: 10, labels: { disk: 'ssd' }, draining: false };
    expect(actionsWith({ specs: new Map([['b', { ...spec, draining: true }]]) })).toMatchObject([
      { kind: 'delay' },
    ]);
    expect(actionsWith({ specs: new Map([['b', { ...spec, labels: {} }]]) })).toMatchObject([
      { kind: 'delay' },
    ]);
    expect(actionsWith({ specs: new Map([['b', { ...spec, capacity: 0.5 }]]) })).toMatchObject([
      { kind: 'delay' },
    ]);
    const full = [nodeOf('b', { labels: { disk: 'ssd' }, available: 0.5 })];
    expect(actionsWith({ nodes: full })).toMatchObject([{ kind: 'delay' }]);
  });

  it('tells real nodes from virtual ones by what they are, whatever they are labelled', () => {
    const asking = (virtual: string) =>
      volumeOf({ requested: { reserved_size: 1, constraints: { virtual } } });
    const nodes = [
      nodeOf('simulated', { virtual: true, capacity: 100, available: 100, labels: { virtual: 'false' } }),
      nodeOf('real', { virtual: false }),
    ];
    const placed = (volume: Volume) => plan(state({ volumes: [volume], nodes }), NOW).actions;
    expect(placed(asking('false'))).toMatchObject([{ kind: 'assign', node: 'real' }]);
    expect(placed(asking('true'))).toMatchObject([{ kind: 'assign', node: 'simulated' }]);
    expect(placed(volumeOf())).toMatchObject([{ kind: 'assign', node: 'simulated' }]);
  });

  it('says once why a volume waits', () => {
    const big = volumeOf({ requested: { reserved_size: 100, constraints: {} } });
    const [action] = plan(state({ volumes: [big] }), NOW).actions;
    expect(action).toMatchObject({ kind: 'delay', reason: expect.stringContaining('100 GiB') });
    const told = applied(state({ volumes: [big] }), action as Action);
    expect(plan(told, NOW).actions).toEqual([]);
  });

  it('grants what fits, and says why it does not grant the rest', () => {
    const asks = (reserved_size: number, constraints = {}) =>
      plan(
        state({ volumes: [readyVolume({ state: 'pending', requested: { reserved_size, constraints } })] }),
        NOW,
      ).actions;
    expect(asks(10)).toMatchObject([{ kind: 'grant' }]);
    expect(asks(0.5)).toMatchObject([{ kind: 'grant' }]);
    expect(asks(10.5)).toMatchObject([{ kind: 'delay' }]);
    expect(asks(1, { disk: 'ssd' })).toMatchObject([{ kind: 'delay' }]);
  });

  it('shrinks even where too much is reserved', () => {
    const shrinking = readyVolume({ state: 'pending', requested: { reserved_size: 0.5, constraints: {} } });
    const nodes = [nodeOf('a', { capacity: 0.25 })];
    expect(plan(state({ volumes: [shrinking], nodes }), NOW).actions).toMatchObject([{ kind: 'grant' }]);
  });

  it('retries with growing patience, and says when', () => {
    const delays = [1, 2, 3, 7, 1000].map((error_count) =>
      retryDelayMs(readyVolume({ state: 'error' }, { error_count })),
    );
    expect(delays).toEqual([1000, 2000, 4000, 60_000, 60_000]);
    const broken = readyVolume({ state: 'error' }, { error_count: 2 });
    const failures = new Map([[broken.id, { modRevision: 7, seenMs: 500 }]]);
    const at = (nowMs: number) => plan(state({ volumes: [broken] }), { ...NOW, nowMs, failures });
    expect(at(2499)).toEqual({ actions: [], wakeAtMs: 2500 });
    expect(at(2500).actions).toMatchObject([{ kind: 'retry' }]);
  });

  it.each([-1, 0, 1])('waits before a retry although the clock of the agent is %s h off', (hours) => {
    const updated = new Date(Date.parse(T0) + hours * 3_600_000).toISOString();
    const broken = readyVolume({ state: 'error' }, { error_count: 1, updated });
    const failures = new Map([[broken.id, { modRevision: 7, seenMs: 500 }]]);
    expect(plan(state({ volumes: [broken] }), { ...NOW, nowMs: 500, failures })).toEqual({
      actions: [],
      wakeAtMs: 1500,
    });
  });

  it('retries what was never created anywhere but where it failed', () => {
    const broken = volumeOf({ state: 'error', node: 'a' }, { error: 'io', error_count: 1 });
    // By far the emptiest.
    const nodes = [nodeOf('a', { capacity: 100, available: 100 }), nodeOf('b')];
    const [action] = plan(state({ volumes: [broken], nodes }), NOW).actions;
    expect(action).toMatchObject({ kind: 'retry', node: 'b' });
    const after = applied(state({ volumes: [broken], nodes }), action as Action);
    expect(after.volumes).toMatchObject([{ state: 'scheduling', node: 'b' }]);
    expect(plan(after, NOW).actions).toEqual([]);
  });

  it('retries where it failed when there is no other node, and waits when there is none', () => {
    const broken = volumeOf({ state: 'error', node: 'a' }, { error: 'io', error_count: 1 });
    const retriedOn = (nodes: ClusterState['nodes']) =>
      plan(state({ volumes: [broken], nodes }), NOW).actions;
    expect(retriedOn([nodeOf('a', { capacity: 1 })])).toMatchObject([{ kind: 'retry', node: 'a' }]);
    expect(retriedOn([nodeOf('a', { capacity: 0.5 })])).toMatchObject([{ kind: 'retry', node: null }]);
    expect(retriedOn([])).toMatchObject([{ kind: 'retry', node: null }]);
  });

  it('fits 0.1 and 0.2 GiB into 0.3, and 0.2 more onto 0.1', () => {
    const nodes = [nodeOf('a', { capacity: 0.3 })];
    const small = { reserved_size: 0.1, constraints: {} };
    const taken = readyVolume({
      id: 'v00000000000000aa',
      requested: small,
      actual: actualOf(small),
    });
    const fresh = volumeOf({ requested: { reserved_size: 0.2, constraints: {} } });
    expect(plan(state({ volumes: [taken, fresh], nodes }), NOW).actions).toMatchObject([
      { kind: 'assign', node: 'a' },
    ]);
    const growing: Volume = {
      ...taken,
      state: 'pending',
      requested: { reserved_size: 0.3, constraints: {} },
    };
    expect(plan(state({ volumes: [growing], nodes }), NOW).actions).toMatchObject([{ kind: 'grant' }]);
  });

  it('drops a doomed volume that is nowhere, and leaves one that is somewhere to its agent', () => {
    expect(plan(state({ volumes: [volumeOf({ state: 'deleting' })] }), NOW).actions).toMatchObject([
      { kind: 'drop' },
    ]);
    expect(plan(state({ volumes: [readyVolume({ state: 'deleting' })] }), NOW).actions).toEqual([]);
    const awayAndCreated = readyVolume({ state: 'deleting', node: 'dead' });
    const specs = new Map([['dead', specOf()]]);
    expect(plan(state({ specs, volumes: [awayAndCreated] }), NOW).actions).toEqual([]);
    // The node was forgotten: should it come back, what is on its disk is nobody's.
    expect(plan(state({ volumes: [awayAndCreated] }), NOW).actions).toMatchObject([{ kind: 'drop' }]);
    // One that is alive has yet to keep its spec.
    const aliveAndCreated = readyVolume({ state: 'deleting', node: 'a' });
    expect(plan(state({ volumes: [aliveAndCreated] }), NOW).actions).toEqual([]);
  });

  it('drops a doomed volume that was never created when its node is away', () => {
    const doomed = (node: string) => plan(state({ volumes: [volumeOf({ state: 'deleting', node })] }), NOW);
    expect(doomed('dead').actions).toMatchObject([{ kind: 'drop' }]);
    // Its agent may be creating it right now.
    expect(doomed('a').actions).toEqual([]);
  });
});
