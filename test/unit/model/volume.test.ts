import { describe, expect, it } from '@jest/globals';
import {
  illegality,
  type LifeState,
  ROLES,
  reservationsOf,
  TRANSITIONS,
  VOLUME_STATES,
  volumeSchema,
} from '../../../src/model/volume.ts';
import { readyVolume, volumeOf } from './volumes.ts';

const COPY = '0123456789abcdef-0';
const moveTo = (node: string) => ({ kind: 'move', cause: 'asked', node, copy: null }) as const;
const STATES: readonly LifeState[] = ['absent', ...VOLUME_STATES];
const inState = (state: LifeState, role: (typeof ROLES)[number]) =>
  state === 'absent'
    ? undefined
    : readyVolume(
        { state },
        // With an error, so that what may happen to a stuck volume may happen to it.
        {
          error: 'no room',
          // One that is moving is on its way, so that the move may be called off.
          task: state === 'moving' ? moveTo('b') : null,
          writer: { role, node: 'a', term: role === 'engine' ? 7 : null },
        },
      );

describe('the graph of states', () => {
  // Every pair of states with every writer: what the table allows, and nothing else.
  for (const from of STATES) {
    for (const to of STATES.filter((state) => state !== from)) {
      const allowed = TRANSITIONS.find((entry) => entry.from === from && entry.to === to)?.by ?? [];
      it(`${from} -> ${to}: ${allowed.length === 0 ? 'never' : allowed.join(' or ')}`, () => {
        for (const role of ROLES) {
          const reason = illegality(inState(from, 'api'), inState(to, role));
          // Nobody signs a deletion.
          const legal = to === 'absent' ? allowed.length > 0 : allowed.includes(role);
          expect(reason === undefined).toBe(legal);
        }
      });
    }
  }

  it('deletes a volume out of scheduling or pending only when it is stuck', () => {
    for (const state of ['scheduling', 'pending'] as const) {
      const doomed = readyVolume({ state: 'deleting' });
      expect(illegality(readyVolume({ state }), doomed)).toMatch(/only for a volume that is stuck/);
      expect(illegality(readyVolume({ state }, { error: 'no room' }), doomed)).toBeUndefined();
    }
  });

  it('lets a volume stay in any state, whoever writes', () => {
    for (const state of VOLUME_STATES) {
      for (const role of ROLES)
        expect(illegality(inState(state, 'api'), inState(state, role))).toBeUndefined();
    }
  });

  it('holds a created volume on its node unless it is moving', () => {
    expect(illegality(volumeOf({ node: 'a' }), volumeOf({ node: 'b' }))).toBeUndefined();
    expect(illegality(readyVolume(), readyVolume({ node: 'b' }))).toMatch(/node changed from a to b/);
    const byAgent = { writer: { role: 'agent', node: 'b', term: null } } as const;
    expect(illegality(volumeOf({ node: 'a' }), readyVolume({ node: 'b' }, byAgent))).toMatch(/node changed/);
  });

  it('gives a moving one to the node that has its copy, by its agent, and to no other', () => {
    const moving = readyVolume({ state: 'moving' }, { task: moveTo('b') });
    const handed = (node: string, copy: string | null, role: 'agent' | 'engine' = 'agent') =>
      readyVolume(
        { state: 'moving', node },
        { task: { ...moveTo('b'), copy }, writer: { role, node: 'a', term: null } },
      );
    expect(illegality(moving, handed('b', COPY))).toBeUndefined();
    expect(illegality(moving, handed('b', null))).toMatch(/node changed/);
    expect(illegality(moving, handed('c', COPY))).toMatch(/node changed/);
    expect(illegality(moving, handed('b', COPY, 'engine'))).toMatch(/node changed/);
    expect(illegality(handed('b', COPY), handed('a', COPY))).toMatch(/node changed/);
  });

  it('is called off before the handover only', () => {
    const moving = readyVolume({ state: 'moving' }, { task: moveTo('b') });
    const engine = { task: moveTo('b'), writer: { role: 'engine', node: 'a', term: 1 } } as const;
    expect(illegality(moving, readyVolume({ state: 'pending' }, engine))).toBeUndefined();
    const handed = readyVolume({ state: 'moving', node: 'b' }, { task: { ...moveTo('b'), copy: COPY } });
    expect(illegality(handed, readyVolume({ state: 'pending', node: 'b' }, engine))).toMatch(
      /after the handover/,
    );
  });

  it('holds on to the id', () => {
    expect(illegality(volumeOf(), volumeOf({ id: 'vffffffffffffffff' }))).toMatch(/id changed/);
  });
});

describe('what a volume takes', () => {
  it.each([
    ['an unplaced one: nothing anywhere', volumeOf(), []],
    ['a placed one: what it asks for', volumeOf({ node: 'a' }), [['a', 1]]],
    ['a pending one: what it has', readyVolume({ state: 'pending', requested: big(5) }), [['a', 1]]],
    ['a growing one: what it will have', readyVolume({ state: 'resizing', requested: big(5) }), [['a', 5]]],
    ['a shrinking one: what it had', readyVolume({ state: 'resizing', requested: big(0.5) }), [['a', 1]]],
    ['one that failed to grow', readyVolume({ state: 'error', requested: big(5) }), [['a', 5]]],
    [
      'one that failed to move: what it has where it stayed',
      readyVolume({ state: 'error', requested: big(5) }, { task: moveTo('b') }),
      [['a', 1]],
    ],
    [
      'one on its way: what it has there, and what it was granted here',
      readyVolume({ state: 'moving', requested: big(5) }, { task: moveTo('b') }),
      [
        ['a', 1],
        ['b', 5],
      ],
    ],
    [
      'one handed over: all of it on the new node',
      readyVolume({ state: 'moving', node: 'b' }, { task: { ...moveTo('b'), copy: COPY } }),
      [['b', 1]],
    ],
  ] as const)('%s', (_what, volume, reservations) => {
    const inGib = reservationsOf(volume).map(({ node, bytes }) => [node, bytes / 1024 ** 3]);
    expect(inGib).toEqual(reservations);
  });

  function big(reserved_size: number) {
    return { reserved_size, constraints: {} };
  }
});

describe('a stored volume', () => {
  it.each([
    ['id', { id: '../../etc' }],
    ['node', { node: 'no such host!' }],
    ['state', { state: 'lost' }],
    ['requested', { requested: { reserved_size: Number.NaN, constraints: {} } }],
    ['requested', { requested: { reserved_size: 1 / 128, constraints: {} } }],
    ['extra', { extra: 1 }],
  ])('is refused for its %s', (_field, fields) => {
    expect(volumeSchema.safeParse({ ...volumeOf(), ...fields }).success).toBe(false);
  });
});
