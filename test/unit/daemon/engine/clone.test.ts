// Clones: where and when the plan has them made, and what they wait for.

import { describe, expect, it } from '@jest/globals';
import { isStuck, type Volume } from '../../../../src/model/volume.ts';
import { actualOf, nodeOf, volumeOf } from '../../model/volumes.ts';
import { actionsFor, applied, idOf, sized, specOf, state } from './support.ts';

const PARENT = 1;
const CLONE = 2;
const moveTo = (node: string | null, cause: 'asked' | 'drain' = 'asked') =>
  ({ kind: 'move', cause, node, copy: null }) as const;
const clone = (fields: Partial<Volume> = {}, control: Partial<Volume['control']> = {}): Volume =>
  volumeOf({ id: idOf(CLONE), state: 'pending', ...fields }, { parent_id: idOf(PARENT), ...control });
const cloning = (): Volume => clone({ id: idOf(3), state: 'cloning', node: 'a' });
const parent = (fields: Partial<Volume> = {}, control: Partial<Volume['control']> = {}): Volume =>
  sized(PARENT, 'a', 1, fields, control);

describe('a clone', () => {
  it.each(['ready', 'pending', 'resizing', 'rewriting', 'error'] as const)(
    'is made on the node of its parent, which is %s',
    (state) => {
      const parentThere = parent({ state }, { error_count: 40 });
      const actions = actionsFor({ volumes: [parentThere, clone()] }, { failures: new Map() });
      expect(actions).toContainEqual({ kind: 'clone', volume: clone(), node: 'a' });
    },
  );

  it.each([
    ['is gone', [clone()], /parent v0+1 is gone/],
    ['is not created yet', [parent({ state: 'cloning', actual: null }), clone()], /not created yet/],
    ['is being deleted', [parent({ state: 'deleting' }), clone()], /being deleted/],
    ['is moving', [parent({ state: 'moving' }, { task: moveTo('b') }), clone()], /moving to another node/],
    ['is about to move', [parent({ state: 'pending' }, { task: moveTo('b') }), clone()], /moving to another/],
    ['is on a node that is away', [parent({ node: 'dead' }), clone()], /node dead.* is away/],
    [
      'is where it has no room',
      [parent(), clone({ requested: { reserved_size: 9.5, constraints: {} } })],
      /node a, where its parent is, has not 9.5 GiB free/,
    ],
    [
      'is where it may not be',
      [parent(), clone({ requested: { reserved_size: 1, constraints: { disk: 'ssd' } } })],
      /node a, where its parent is, does not satisfy the constraints/,
    ],
  ])('waits, and says why, when its parent %s', (_what, volumes, reason) => {
    const action = actionsFor({ volumes }).find(({ volume }) => volume.id === idOf(CLONE));
    expect(action).toMatchObject({ kind: 'delay', reason: expect.stringMatching(reason) });
  });

  it('waits while the disk of its parent is broken', () => {
    const nodes = [nodeOf('a', { disk: { state: 'full', reason: 'it is' } }), nodeOf('b')];
    expect(actionsFor({ nodes, volumes: [parent(), clone()] })).toMatchObject([
      { kind: 'delay', reason: expect.stringContaining('the disk of node a, where its parent is, is full') },
    ]);
  });

  it('is not put where it would overcommit together with another', () => {
    const first = clone({ requested: { reserved_size: 5, constraints: {} } });
    const second = { ...first, id: idOf(4) };
    expect(actionsFor({ volumes: [parent(), first, second] })).toMatchObject([
      { kind: 'clone', volume: first },
      { kind: 'delay', volume: second },
    ]);
  });

  it('is taken back from a node that is away, so that it can be deleted, and made when that is back', () => {
    const before = state({ nodes: [nodeOf('b')], volumes: [parent(), cloning()] });
    const told = actionsFor(before).reduce(applied, before);
    const reason = 'node a, where its parent is, is away';
    expect(told.volumes[1]).toMatchObject({ state: 'pending', node: null, control: { error: reason } });
    expect(told.volumes.map(isStuck)).toEqual([false, true]);
    expect(actionsFor(told)).toEqual([]);
    expect(actionsFor({ ...told, nodes: [nodeOf('a')] })).toMatchObject([{ kind: 'clone', node: 'a' }]);
    // It is there already, and only its export is missing: it stays where it is.
    const there = state({ ...before, volumes: [{ ...cloning(), actual: actualOf() }] });
    const kept = actionsFor(there).reduce(applied, there);
    expect(kept.volumes).toMatchObject([
      { state: 'pending', node: 'a', control: { error: 'node a is away' } },
    ]);
    expect(actionsFor(kept)).toEqual([]);
    expect(actionsFor({ ...kept, nodes: [nodeOf('a')] })).toMatchObject([{ kind: 'grant' }]);
  });

  it('that failed waits for its parent again, wherever that is then', () => {
    const failed = clone({ state: 'error', node: 'a' }, { error: 'io', error_count: 1 });
    expect(actionsFor({ volumes: [parent({ node: 'b' }), failed] })).toMatchObject([
      { kind: 'retry', node: null },
    ]);
  });
});

describe('a parent', () => {
  const draining = new Map([['a', specOf({ draining: true })]]);

  it.each([
    ['is asked to', { task: moveTo('b') }, new Map()],
    ['is drained', {}, draining],
  ])(
    'does not leave before its clone is made when it %s, and no further clone is begun',
    (_what, control, specs) => {
      const state = 'task' in control ? 'pending' : 'ready';
      const leaving = parent({ state }, control);
      expect(actionsFor({ specs, volumes: [leaving, cloning(), clone()] })).toMatchObject([
        { kind: 'delay', reason: expect.stringContaining('moving to another node') },
      ]);
      expect(actionsFor({ specs, volumes: [leaving] })).toMatchObject([{ kind: 'move', node: 'b' }]);
    },
  );

  it('that fits nowhere else holds its clones up no longer, although its node is draining', () => {
    const nodes = [nodeOf('a'), nodeOf('b', { capacity: 0.5 })];
    expect(actionsFor({ nodes, specs: draining, volumes: [parent(), clone()] })).toMatchObject([
      { kind: 'delay', volume: { id: idOf(PARENT) } },
      { kind: 'clone', volume: { id: idOf(CLONE) } },
    ]);
  });
});
