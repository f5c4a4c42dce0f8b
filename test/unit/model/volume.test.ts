import { describe, expect, it } from '@jest/globals';
import {
  illegality,
  type LifeState,
  ROLES,
  reservedGib,
  TRANSITIONS,
  VOLUME_STATES,
  volumeSchema,
} from '../../../src/model/volume.ts';
import { readyVolume, volumeOf } from './volumes.ts';

const STATES: readonly LifeState[] = ['absent', ...VOLUME_STATES];
const inState = (state: LifeState, role: (typeof ROLES)[number]) =>
  state === 'absent'
    ? undefined
    : readyVolume(
        { state },
        // With an error, so that what may happen to a stuck volume may happen to it.
        { error: 'no room', writer: { role, node: 'a', term: role === 'engine' ? 7 : null } },
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
    const moving = readyVolume({ state: 'moving' });
    expect(illegality(moving, { ...moving, node: 'b' })).toBeUndefined();
  });

  it('holds on to the id', () => {
    expect(illegality(volumeOf(), volumeOf({ id: 'vffffffffffffffff' }))).toMatch(/id changed/);
  });
});

describe('what a volume takes', () => {
  it.each([
    ['an unplaced one: what it asks for', volumeOf(), 1],
    ['a pending one: what it has', readyVolume({ state: 'pending', requested: big(5) }), 1],
    ['a growing one: what it will have', readyVolume({ state: 'resizing', requested: big(5) }), 5],
    ['a shrinking one: what it had', readyVolume({ state: 'resizing', requested: big(0.5) }), 1],
    ['one that failed to grow: what it was granted', readyVolume({ state: 'error', requested: big(5) }), 5],
  ])('%s', (_what, volume, gib) => {
    expect(reservedGib(volume)).toBe(gib);
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
