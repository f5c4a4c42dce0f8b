// What `rig ps` says below its table.

import { describe, expect, it } from '@jest/globals';
import { type Member, notesOf } from '../../../src/cli/ps-notes.ts';

const ROLES = { api: 'running', engine: 'running', agent: 'running' };
const member = (name: string, more: Partial<Member> = {}): Member => ({
  ...{ member: name, state: 'running', roles: {}, leads: false, url: null },
  ...more,
});
const node = (name: string, more: Partial<Member> = {}): Member => member(name, { roles: ROLES, ...more });
const DOWN = { state: 'exited', roles: {} };
const notes = (...members: readonly Member[]): readonly string[] =>
  notesOf({ members, leader: members.find(({ leads }) => leads)?.member ?? null, etcd: null });

describe('the notes of rig ps', () => {
  it('are none for a cluster that is well', () => {
    expect(notes(node('node1', { leads: true }), node('node2'), member('etcd'))).toEqual([]);
  });

  it('tell that nobody leads, and who is down, in a line each', () => {
    expect(notes(node('node1', DOWN), node('node2'), member('consumer1', DOWN))).toEqual([
      'nobody leads: none of node2 is elected yet',
      'down: node1, consumer1',
    ]);
    expect(notes(node('node1', DOWN))).toEqual(['nobody leads: no engine runs', 'down: node1']);
  });

  it('do not take for a leader what etcd only remembers', () => {
    expect(notes(node('node1', { ...DOWN, leads: true }), node('node2'))).toEqual([
      'nobody leads: the engine of node1 did and is down; another is elected once its lease has run out',
      'down: node1',
    ]);
    const { engine: _, ...left } = ROLES;
    expect(notes(node('node1', { roles: left, leads: true }))[0]).toMatch(/node1 did and is down/);
    // Of another cluster, in front of this etcd.
    expect(notesOf({ members: [node('node1')], leader: 'sim-1', etcd: null })).toEqual([]);
    // It ended while it was looked into.
    expect(notes(node('node1', { roles: {}, leads: true }))).toEqual([]);
  });

  it('tell what is frozen, whole or a role', () => {
    expect(
      notes(
        node('node1', { roles: { ...ROLES, engine: 'frozen' }, leads: true }),
        node('node2', { ...DOWN, state: 'frozen' }),
        member('etcd', DOWN),
      ),
    ).toEqual([
      'nobody leads: the engine of node1 did and is frozen; another is elected once its lease has run out',
      'down: etcd; frozen: node1/engine, node2',
    ]);
  });

  it('tell what etcd says instead of who leads, and fit the terminal', () => {
    const etcd = 'no member of etcd runs in cluster a';
    const all = notesOf({ members: [member('etcd', DOWN)], leader: null, etcd }, 40);
    expect(all).toEqual([
      'etcd does not say who leads: no member\n  of etcd runs in cluster a',
      'down: etcd',
    ]);
  });
});
