// Nodes that are to be emptied.

import { describe, expect, it } from '@jest/globals';
import { MOVE_FAILED_PREFIX } from '../../../../src/model/changes.ts';
import { nodeOf, volumeOf } from '../../model/volumes.ts';
import { actionsFor, applied, idOf, sized, specOf, state } from './support.ts';

const specs = new Map([['a', specOf({ draining: true })]]);
const three = [1, 2, 3].map((index) => sized(index, 'a', 1));
const moving = (cause: 'asked' | 'rebalance') =>
  sized(9, 'c', 1, { state: 'moving' }, { task: { kind: 'move', cause, node: 'b', copy: null } });

describe('a draining node', () => {
  it('gives its volumes away, so many at a time', () => {
    const moves = (maxMoves: number) => actionsFor({ specs, volumes: three }, { maxMoves });
    expect(moves(2)).toMatchObject(
      [1, 2].map((index) => ({ kind: 'move', volume: { id: idOf(index) }, cause: 'drain' })),
    );
    expect(moves(5)).toHaveLength(3);
    expect(moves(0)).toEqual([]);
  });

  it('counts all moves of the cluster that no client asked for', () => {
    const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name));
    const actions = (cause: 'asked' | 'rebalance') =>
      actionsFor({ specs, nodes, volumes: [...three, moving(cause)] }, { maxMoves: 2 });
    expect(actions('rebalance')).toHaveLength(1);
    expect(actions('asked')).toHaveLength(2);
    // At a standstill, and perhaps for good: the node that has it now is away.
    const stranded = sized(
      9,
      'dead',
      1,
      { state: 'moving' },
      { task: { kind: 'move', cause: 'drain', node: 'dead', copy: '0123456789abcdef-1' } },
    );
    expect(actionsFor({ specs, volumes: [...three, stranded] }, { maxMoves: 2 })).toHaveLength(2);
  });

  it.each([
    [
      'their disk takes no writes',
      'a',
      null,
      { disk: { state: 'read-only', reason: 'it is' } },
      ['cancel', 'cancel', 'move'],
    ],
    ['they say that they failed', 'a', null, {}, ['cancel', 'cancel', 'move']],
    [
      'they wait for a disk',
      'b',
      '0123456789abcdef-1',
      { disk: { state: 'failing', reason: 'it is' } },
      ['move'],
    ],
  ] as const)('is not held up by moves of others when %s', (_what, node, copy, fields, kinds) => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) => nodeOf(name, name === node ? fields : {}));
    const task = { kind: 'move', cause: 'drain', node: 'b', copy } as const;
    const error = copy === null ? `${MOVE_FAILED_PREFIX}it does` : null;
    const others = [1, 2].map((index) => sized(index, node, 1, { state: 'moving' }, { task, error }));
    const draining = new Map([['c', specOf({ draining: true })]]);
    const actions = actionsFor({ nodes, specs: draining, volumes: [...others, sized(3, 'c', 1)] });
    expect(actions.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('gives away what was in error there, rather than try it again on that disk', () => {
    const nodes = [nodeOf('a', { disk: { state: 'failing', reason: 'it is' } }), nodeOf('b')];
    const before = state({ specs, nodes, volumes: [sized(1, 'a', 1, { state: 'error' }, { error: 'io' })] });
    const retried = actionsFor(before).reduce(applied, before);
    expect(retried.volumes).toMatchObject([{ state: 'pending' }]);
    expect(actionsFor(retried)).toMatchObject([{ kind: 'move', node: 'b', cause: 'drain' }]);
    // There is no other, so it may as well be tried.
    expect(actionsFor({ ...retried, nodes: nodes.slice(0, 1) })).toMatchObject([{ kind: 'grant' }]);
    expect(actionsFor({ ...retried, specs: new Map() })).toMatchObject([{ kind: 'grant' }]);
  });

  it('loses what was not created on it yet, if there is another', () => {
    const uncreated = volumeOf({ node: 'a' });
    expect(actionsFor({ specs, volumes: [uncreated] })).toMatchObject([{ kind: 'assign', node: 'b' }]);
    expect(actionsFor({ specs, nodes: [nodeOf('a')], volumes: [uncreated] })).toEqual([]);
  });

  it('lets what is being worked on end', () => {
    const volumes = (['resizing', 'rewriting', 'deleting'] as const).map((state) =>
      sized(1, 'a', 1, { state }),
    );
    for (const volume of volumes) expect(actionsFor({ specs, volumes: [volume] })).toEqual([]);
  });

  it('does not keep what asked for another node that is impossible', () => {
    const impossible = sized(
      1,
      'a',
      1,
      { state: 'pending' },
      { task: { kind: 'move', cause: 'asked', node: 'c', copy: null } },
    );
    expect(actionsFor({ specs, volumes: [impossible] })).toMatchObject([
      { kind: 'move', node: 'b', cause: 'drain' },
    ]);
  });

  it('says of what fits nowhere why it stays, until it fits or need not leave', () => {
    const tight = [nodeOf('a'), nodeOf('b', { capacity: 0.5 })];
    const before = state({ specs, nodes: tight, volumes: [sized(1, 'a', 1)] });
    const [action] = actionsFor(before);
    expect(action).toMatchObject({
      kind: 'delay',
      reason: 'node a is draining, and no other live node that satisfies the constraints has 1 GiB free',
    });
    if (action === undefined) return;
    const told = applied(before, action);
    expect(told.volumes).toMatchObject([{ state: 'ready' }]);
    expect(actionsFor(told)).toEqual([]);
    expect(actionsFor({ ...told, nodes: [...tight, nodeOf('c')] })).toMatchObject([
      { kind: 'move', node: 'c' },
    ]);
    const [settle] = actionsFor({ ...told, specs: new Map() });
    expect(settle).toMatchObject({ kind: 'settle' });
    if (settle === undefined) return;
    expect(applied(told, settle).volumes).toMatchObject([{ state: 'ready', control: { error: null } }]);
  });

  it('whose disk takes no writes keeps its volumes, and they say so', () => {
    const nodes = [nodeOf('a', { disk: { state: 'read-only', reason: 'it is' } }), nodeOf('b')];
    expect(actionsFor({ specs, nodes, volumes: [sized(1, 'a', 1)] })).toMatchObject([
      { kind: 'delay', reason: 'node a is draining, and its disk is read-only' },
    ]);
  });

  it('that is away keeps what it has', () => {
    expect(actionsFor({ specs, nodes: [nodeOf('b')], volumes: three })).toEqual([]);
  });
});
