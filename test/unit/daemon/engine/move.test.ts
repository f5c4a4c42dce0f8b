// Moves that clients ask for, that requests make necessary, and that are called off.

import { describe, expect, it } from '@jest/globals';
import { isStuck, type MoveTask, type Volume } from '../../../../src/model/volume.ts';
import { nodeOf } from '../../model/volumes.ts';
import { actionsFor, applied, idOf, sized, specOf, state } from './support.ts';

const task = (fields: Partial<MoveTask> = {}): MoveTask => ({
  kind: 'move',
  cause: 'asked',
  node: null,
  copy: null,
  ...fields,
});
const asked = (node: string | null, fields: Partial<Volume> = {}): Volume =>
  sized(1, 'a', 1, { state: 'pending', ...fields }, { task: task({ node }) });
const wants = (reserved_size: number, constraints = {}): Volume =>
  sized(1, 'a', 1, { state: 'pending', requested: { reserved_size, constraints } });
const broken = { state: 'failing', reason: 'it is' } as const;

describe('a move that a client asks for', () => {
  it('goes to the node that was named, or to the best other one', () => {
    const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name));
    const emptiest = [...nodes, nodeOf('d', { capacity: 20, available: 20 })];
    expect(actionsFor({ nodes: emptiest, volumes: [asked('c')] })).toMatchObject([
      { kind: 'move', node: 'c', cause: 'asked' },
    ]);
    expect(actionsFor({ nodes: emptiest, volumes: [asked(null)] })).toMatchObject([
      { kind: 'move', node: 'd' },
    ]);
    const own = [nodeOf('a', { capacity: 20, available: 20 }), nodeOf('b')];
    expect(actionsFor({ nodes: own, volumes: [asked(null)] })).toMatchObject([{ kind: 'move', node: 'b' }]);
  });

  it.each([
    ['is away', 'c', {}, 'node c is away'],
    ['is draining', 'b', { specs: new Map([['b', specOf({ draining: true })]]) }, 'node b is draining'],
    [
      'has a broken disk',
      'b',
      { nodes: [nodeOf('a'), nodeOf('b', { disk: broken })] },
      'the disk of node b is failing',
    ],
    [
      'has no room',
      'b',
      { nodes: [nodeOf('a'), nodeOf('b', { capacity: 0.5 })] },
      'node b has not 1 GiB free',
    ],
    [
      'has no disk space',
      'b',
      { nodes: [nodeOf('a'), nodeOf('b', { available: 0.5 })] },
      'node b has not 1 GiB free',
    ],
  ])('waits, and says why, when the node that was named %s', (_what, node, fields, reason) => {
    expect(actionsFor({ ...fields, volumes: [asked(node)] })).toMatchObject([{ kind: 'delay', reason }]);
  });

  it('heeds the constraints', () => {
    const requested = { reserved_size: 1, constraints: { disk: 'ssd' } };
    expect(actionsFor({ volumes: [asked('b', { requested })] })).toMatchObject([
      { kind: 'delay', reason: 'node b does not satisfy the constraints' },
    ]);
    expect(actionsFor({ volumes: [asked(null, { requested })] })).toMatchObject([
      { kind: 'delay', reason: 'no other live node satisfies the constraints' },
    ]);
  });

  it('is over at once when the volume is there already', () => {
    expect(actionsFor({ volumes: [asked('a')] })).toMatchObject([{ kind: 'settle' }]);
    const growing = asked('a', { requested: { reserved_size: 2, constraints: {} } });
    expect(actionsFor({ volumes: [growing] })).toMatchObject([{ kind: 'grant' }]);
  });

  it('is not held up by others, however many there are', () => {
    expect(actionsFor({ volumes: [asked('b')] }, { maxMoves: 0 })).toMatchObject([{ kind: 'move' }]);
  });

  it('takes the room that the volume asked for, which others then have not', () => {
    const big = { requested: { reserved_size: 6, constraints: {} } };
    const volumes = [asked('b', big), { ...asked('b', big), id: idOf(2) }];
    expect(actionsFor({ volumes })).toMatchObject([{ kind: 'move' }, { kind: 'delay' }]);
  });
});

describe('a request that does not fit where the volume is', () => {
  it('moves it to where it does: for its size, its constraints, or the disk', () => {
    const nodes = [nodeOf('a'), nodeOf('b', { capacity: 20, available: 20, labels: { disk: 'ssd' } })];
    const move = { kind: 'move', node: 'b', cause: 'fit' };
    expect(actionsFor({ nodes, volumes: [wants(10.5)] })).toMatchObject([move]);
    expect(actionsFor({ nodes, volumes: [wants(1, { disk: 'ssd' })] })).toMatchObject([move]);
    const full = nodeOf('a', { disk: { state: 'full', reason: 'it is' } });
    expect(actionsFor({ nodes: [full, nodeOf('b')], volumes: [wants(2)] })).toMatchObject([move]);
    // To shrink is always possible.
    expect(actionsFor({ nodes: [full, nodeOf('b')], volumes: [wants(0.5)] })).toMatchObject([
      { kind: 'grant' },
    ]);
  });

  it('waits, and says why, when it fits nowhere, and no longer than that', () => {
    const reason =
      'node a has not 99 GiB more free, and no other live node that satisfies the constraints has 100 GiB free';
    const before = state({ volumes: [wants(100)] });
    const [action] = actionsFor(before);
    expect(action).toMatchObject({ kind: 'delay', reason });
    if (action === undefined) return;
    const told = applied(before, action);
    expect(actionsFor(told)).toEqual([]);
    const nodes = [...told.nodes, nodeOf('c', { capacity: 100, available: 102 })];
    expect(actionsFor({ ...told, nodes })).toMatchObject([{ kind: 'move', node: 'c', cause: 'fit' }]);
  });

  it('waits for its turn, but for a turn that comes even where moves are switched off', () => {
    const nodes = [nodeOf('a'), nodeOf('b', { capacity: 100, available: 100 })];
    const volumes = [wants(10.5), { ...wants(10.5), id: idOf(2) }];
    expect(actionsFor({ nodes, volumes }, { maxMoves: 0 })).toMatchObject([
      { kind: 'move' },
      { kind: 'delay', reason: expect.stringContaining('when other moves have ended') },
    ]);
  });

  it('does not begin on a disk that takes no writes', () => {
    const nodes = [nodeOf('a', { disk: { state: 'read-only', reason: 'it is' } }), nodeOf('b')];
    expect(actionsFor({ nodes, volumes: [wants(2)] })).toMatchObject([{ kind: 'delay' }]);
  });
});

describe('a rewrite', () => {
  const rewrite = (reserved_size: number): Volume =>
    sized(
      1,
      'a',
      1,
      { state: 'pending', requested: { reserved_size, constraints: {} } },
      { task: { kind: 'rewrite', compression: 'zlib' } },
    );
  it('is granted where the volume is', () => {
    const before = state({ volumes: [rewrite(1)] });
    const [action] = actionsFor(before);
    expect(action).toMatchObject({ kind: 'grant' });
    if (action === undefined) return;
    expect(applied(before, action).volumes).toMatchObject([{ state: 'rewriting' }]);
  });
  it('is granted there although the constraints that were asked for before are not satisfied', () => {
    const requested = { reserved_size: 1, constraints: { disk: 'ssd' } };
    const nodes = [nodeOf('a'), nodeOf('b', { labels: { disk: 'ssd' } })];
    expect(actionsFor({ nodes, volumes: [{ ...rewrite(1), requested }] })).toMatchObject([{ kind: 'grant' }]);
  });
  it('gives no room away that is not there', () => {
    expect(actionsFor({ volumes: [rewrite(100)] })).toMatchObject([{ kind: 'delay' }]);
  });
});

describe('a move under way', () => {
  const moving = (cause: MoveTask['cause'], fields: Partial<Volume> = {}): Volume =>
    sized(1, 'a', 1, { state: 'moving', ...fields }, { task: task({ cause, node: 'b' }) });
  const causes = ['asked', 'drain', 'rebalance', 'fit'] as const;

  it.each(causes)('for %s is called off when the new node is away or broken', (cause) => {
    expect(actionsFor({ nodes: [nodeOf('a')], volumes: [moving(cause)] })).toMatchObject([
      { kind: 'cancel', reason: 'the move to node b was called off: that node is away' },
    ]);
    const nodes = [nodeOf('a'), nodeOf('b', { disk: broken })];
    expect(actionsFor({ nodes, volumes: [moving(cause)] })).toMatchObject([
      { kind: 'cancel', reason: 'the move to node b was called off: the disk of that node is failing' },
    ]);
    expect(actionsFor({ volumes: [moving(cause)] })).toEqual([]);
  });

  it.each(causes)('for %s is past calling off when it was handed over', (cause) => {
    const there = sized(
      1,
      'b',
      1,
      { state: 'moving' },
      { task: task({ cause, node: 'b', copy: '0123456789abcdef-1' }) },
    );
    expect(actionsFor({ nodes: [nodeOf('a')], volumes: [there] })).toEqual([]);
  });

  it.each(causes)('for %s is called off when its old node is away, or its disk takes no writes', (cause) => {
    expect(actionsFor({ nodes: [nodeOf('b')], volumes: [moving(cause)] })).toMatchObject([
      { kind: 'cancel', reason: 'the move to node b was called off: node a is away' },
    ]);
    const nodes = [nodeOf('a', { disk: { state: 'read-only', reason: 'it is' } }), nodeOf('b')];
    expect(actionsFor({ nodes, volumes: [moving(cause)] })).toMatchObject([
      { kind: 'cancel', reason: 'the move to node b was called off: the disk of node a is read-only' },
    ]);
  });

  it.each(causes)('for %s is not called off because it fills the disk that it goes to', (cause) => {
    const nodes = [nodeOf('a'), nodeOf('b', { available: 0, disk: { state: 'full', reason: 'it is' } })];
    expect(actionsFor({ nodes, volumes: [moving(cause)] })).toEqual([]);
  });

  it('that was asked for and called off can be changed, and goes on when the old node is back', () => {
    const before = state({ nodes: [nodeOf('b')], volumes: [moving('asked')] });
    const cancelled = actionsFor(before).reduce(applied, before);
    const told = actionsFor(cancelled).reduce(applied, cancelled);
    expect(told.volumes.map(isStuck)).toEqual([true]);
    expect(actionsFor(told)).toEqual([]);
    expect(actionsFor({ ...told, nodes: [nodeOf('a'), nodeOf('b')] })).toMatchObject([{ kind: 'move' }]);
  });

  it.each([
    ['asked', 'goes elsewhere', { kind: 'move', node: 'c', cause: 'asked' }],
    ['fit', 'goes elsewhere', { kind: 'move', node: 'c', cause: 'fit' }],
    ['drain', 'is over', { kind: 'settle' }],
    ['rebalance', 'is over', { kind: 'settle' }],
  ] as const)('for %s that was called off %s', (cause, _what, next) => {
    const requested = { reserved_size: cause === 'fit' ? 12 : 1, constraints: {} };
    const nodes = [nodeOf('a'), nodeOf('c', { capacity: 20, available: 20 })];
    const before = state({ nodes, volumes: [moving(cause, { requested })] });
    const [cancel] = actionsFor(before);
    if (cancel === undefined) throw new Error('it was not called off');
    expect(actionsFor(applied(before, cancel))).toMatchObject([next]);
  });
});
