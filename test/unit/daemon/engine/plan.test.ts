import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gibToBytes } from '../../../../src/base/units.ts';
import { writeOf } from '../../../../src/daemon/engine/apply.ts';
import { type Action, type PlanTimes, plan, retryDelayMs } from '../../../../src/daemon/engine/plan.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import type { Author } from '../../../../src/model/changes.ts';
import { satisfies } from '../../../../src/model/names.ts';
import { illegality, reservedBytes, type Volume, volumeSchema } from '../../../../src/model/volume.ts';
import { ID, nodeOf, readyVolume, T0, volumeOf } from '../../model/volumes.ts';

const AUTHOR: Author = { writer: { role: 'engine', node: 'a', term: 1 }, nowMs: Date.parse(T0) + 3_600_000 };
const idOf = (index: number): string => `v${index.toString(16).padStart(16, '0')}`;
/** Every failure was seen long ago. */
const NOW: PlanTimes = {
  nowMs: 3_600_000,
  failures: new Map(
    [ID, ...Array.from({ length: 16 }, (_, index) => idOf(index))].map((id) => [
      id,
      { modRevision: 1, seenMs: 0 },
    ]),
  ),
};

const state = (fields: Partial<ClusterState>): ClusterState => ({
  volumes: [],
  nodes: [nodeOf('a'), nodeOf('b')],
  specs: new Map(),
  ...fields,
});

/** The state after an action, as etcd would hold it. */
function applied(before: ClusterState, action: Action): ClusterState {
  const write = writeOf(action, AUTHOR);
  const volumes = before.volumes.flatMap((volume) => {
    if (volume.id !== action.volume.id) return [volume];
    return write.kind === 'delete' ? [] : [volumeSchema.parse(JSON.parse(write.value))];
  });
  return { ...before, volumes };
}

describe('the plan', () => {
  it('picks the node with the most free reservation, the first by name of equals', () => {
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
    const at = (nowMs: number) => plan(state({ volumes: [broken] }), { nowMs, failures });
    expect(at(2499)).toEqual({ actions: [], wakeAtMs: 2500 });
    expect(at(2500).actions).toMatchObject([{ kind: 'retry' }]);
  });

  it.each([-1, 0, 1])('waits before a retry although the clock of the agent is %s h off', (hours) => {
    const updated = new Date(Date.parse(T0) + hours * 3_600_000).toISOString();
    const broken = readyVolume({ state: 'error' }, { error_count: 1, updated });
    const failures = new Map([[broken.id, { modRevision: 7, seenMs: 500 }]]);
    expect(plan(state({ volumes: [broken] }), { nowMs: 500, failures })).toEqual({
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
      actual: { ...small, exports: [] },
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
    expect(plan(state({ volumes: [awayAndCreated] }), NOW).actions).toEqual([]);
  });

  it('drops a doomed volume that was never created when its node is away', () => {
    const doomed = (node: string) => plan(state({ volumes: [volumeOf({ state: 'deleting', node })] }), NOW);
    expect(doomed('dead').actions).toMatchObject([{ kind: 'drop' }]);
    // Its agent may be creating it right now.
    expect(doomed('a').actions).toEqual([]);
  });
});

describe('any plan', () => {
  const names = ['a', 'b', 'c', 'd'];
  const labels = fc.constantFrom({}, { disk: 'ssd' }, { disk: 'hdd' });
  const size = fc.oneof(
    fc.integer({ min: 1, max: 24 }).map((quarters) => quarters / 4),
    fc.integer({ min: 1, max: 60 }).map((tenths) => tenths / 10),
  );
  const node = fc.record({
    labels,
    capacity: fc.integer({ min: 1, max: 160 }).map((tenths) => tenths / 10),
    available: fc.integer({ min: 0, max: 200 }).map((tenths) => tenths / 10),
  });
  const volume = fc.record({
    state: fc.constantFrom('scheduling', 'ready', 'pending', 'resizing', 'deleting', 'error'),
    node: fc.constantFrom(null, ...names),
    size,
    actual: fc.option(size),
    constraints: labels,
    error_count: fc.integer({ min: 0, max: 5 }),
  });
  const clusters = fc
    .record({
      nodes: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), node), { selector: ([name]) => name }),
      draining: fc.subarray(names),
      volumes: fc.array(volume, { maxLength: 16 }),
    })
    .map(
      ({ nodes, draining, volumes }): ClusterState => ({
        nodes: nodes.map(([name, fields]) => nodeOf(name, fields)),
        specs: new Map(
          nodes.map(([name, { labels, capacity }]) => [
            name,
            { volume_path: '/srv', labels, capacity, draining: draining.includes(name) },
          ]),
        ),
        volumes: volumes.map(({ state, node, size, actual, constraints, error_count }, index): Volume => {
          // What was never created has no size of its own; what was created is on a node.
          const created = state !== 'scheduling' && actual !== null && node !== null;
          const needsCreated = state === 'ready' || state === 'pending' || state === 'resizing';
          return volumeOf(
            {
              id: idOf(index),
              state: needsCreated && !created ? 'scheduling' : (state as Volume['state']),
              node,
              requested: { reserved_size: size, constraints },
              actual: created ? { reserved_size: actual, constraints: {}, exports: [] } : null,
            },
            { error_count },
          );
        }),
      }),
    );

  const reservedOn = ({ volumes }: ClusterState, name: string): number =>
    volumes.filter(({ node }) => node === name).reduce((sum, volume) => sum + reservedBytes(volume), 0);

  it('never overcommits a node, breaks no constraint, and makes legal changes only', () => {
    fc.assert(
      fc.property(clusters, (before) => {
        const { actions } = plan(before, NOW);
        const after = actions.reduce(applied, before);
        for (const { name, capacity } of before.nodes) {
          // What was too much before may stay; nothing may be added to it.
          expect(reservedOn(after, name)).toBeLessThanOrEqual(
            Math.max(gibToBytes(capacity), reservedOn(before, name)),
          );
        }
        for (const action of actions) {
          const changed = after.volumes.find(({ id }) => id === action.volume.id);
          expect(illegality(action.volume, changed)).toBeUndefined();
          if (action.kind !== 'assign' && action.kind !== 'retry') continue;
          if (action.kind === 'retry' && (action.node === null || action.volume.actual !== null)) continue;
          const node = before.nodes.find(({ name }) => name === action.node);
          expect(node !== undefined && satisfies(node.labels, action.volume.requested.constraints)).toBe(
            true,
          );
          expect(before.specs.get(action.node ?? '')?.draining).toBe(false);
        }
      }),
    );
  });

  it('may be applied in part and in any order', () => {
    fc.assert(
      fc.property(clusters, fc.infiniteStream(fc.boolean()), (before, coins) => {
        const some = plan(before, NOW)
          .actions.filter(() => coins.next().value)
          .reverse();
        const after = some.reduce(applied, before);
        for (const { name, capacity } of before.nodes) {
          expect(reservedOn(after, name)).toBeLessThanOrEqual(
            Math.max(gibToBytes(capacity), reservedOn(before, name)),
          );
        }
      }),
    );
  });

  it('leads, applied again and again, to a state with nothing to do', () => {
    fc.assert(
      fc.property(clusters, (before) => {
        let now = before;
        for (let round = 0; round < 10; round += 1) {
          const { actions } = plan(now, NOW);
          if (actions.length === 0) return;
          now = actions.reduce(applied, now);
        }
        throw new Error(`still busy: ${JSON.stringify(plan(now, NOW).actions)}`);
      }),
    );
  });

  it('is the same for the same state', () => {
    fc.assert(
      fc.property(clusters, (before) => {
        expect(plan(structuredClone(before), NOW)).toEqual(plan(before, NOW));
      }),
    );
  });
});
