// From etcd and the members to what the console shows, and to what it says has happened.

import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY, nodeKey, volumeKey } from '../../../../src/kv/keys.ts';
import { changesOf, type Items } from '../../../../src/rig/console/items.ts';
import { membersOf } from '../../../../src/rig/console/members.ts';
import { owedItems } from '../../../../src/rig/console/owed.ts';
import { createStory } from '../../../../src/rig/console/story.ts';
import { type Entry, itemsOf, type SeenMember } from '../../../../src/rig/console/view.ts';
import { parseTopology } from '../../../../src/rig/topology.ts';
import { ID, nodeOf, readyVolume, T0 } from '../../model/volumes.ts';

const entry = (key: string, value: unknown, created = 7): Entry => ({
  ...{ key, created, revision: 9, value: typeof value === 'string' ? value : JSON.stringify(value) },
});
const leader = (node: string, created = 7) => entry(LEADER_KEY, { node, instance: 'i', since: T0 }, created);
const running = { api: 'running', engine: 'running', agent: 'running' } as const;
const node = (name: string, fields: Partial<SeenMember> = {}): SeenMember => ({
  ...{ name, kind: 'node', state: 'running', roles: running, url: null, address: null, ...fields },
});
const consumer: SeenMember = node('consumer1', { kind: 'consumer', roles: {}, address: '10.0.0.11' });

describe('what is shown', () => {
  it('has nodes with what they hold, volumes with whom they let in, and the leader with its term', () => {
    const exports = [{ host: '10.0.0.0/24', access: 'ro', squash: 'none' } as const];
    const items = itemsOf(
      [leader('a'), entry(nodeKey('a'), nodeOf('a')), entry(volumeKey(ID), readyVolume({ exports }))],
      [node('a'), node('b'), consumer],
    );
    expect(items.leader).toMatchObject({ node: 'a', term: 7 });
    expect(items['member:a']).toMatchObject({ node: { registered: true, volumes: 1, reservedGib: 1 } });
    expect(items['member:b']).toMatchObject({ node: null });
    expect(items[`volume:${ID}`]).toMatchObject({
      ...{ name: 'data', state: 'ready', node: 'a' },
      exports: [{ host: '10.0.0.0/24', access: 'ro', consumers: ['consumer1'] }],
    });
  });

  it('shows a value that cannot be read as one, and all others', () => {
    const items = itemsOf(
      [entry(volumeKey('v1'), '{"half'), entry(LEADER_KEY, '[]'), entry(nodeKey('z'), nodeOf('z'))],
      [],
    );
    expect(items['volume:v1']).toMatchObject({
      state: 'malformed',
      error: expect.stringContaining('not JSON'),
    });
    expect(items.leader).toBeUndefined();
    expect(items['member:z']).toMatchObject({ state: 'unknown', node: { registered: true } });
  });

  it('has every member of the topology, whether the engine has it or not', () => {
    const topology = parseTopology(
      { nodes: [{ name: 'node1' }, { name: 'node2', starts: 'later' }], consumers: ['c'] },
      't',
    );
    const found = { name: 'node1', url: null, address: '10.0.0.5' };
    const roles = new Map([
      ['api', 'running'],
      ['engine', 'frozen'],
    ] as const);
    const up = membersOf(topology, [{ ...found, state: 'running', roles }]);
    expect(up).toMatchObject([
      { name: 'etcd', kind: 'etcd', state: 'absent' },
      { name: 'node1', state: 'running', roles: { api: 'running', engine: 'frozen', agent: 'down' } },
      { name: 'c', kind: 'consumer', state: 'absent' },
    ]);
    // Nobody could tell of the roles at that moment: they are taken to be as they were.
    expect(membersOf(topology, [{ ...found, state: 'running', roles: undefined }], up)[1]).toEqual(up[1]);
    const down = membersOf(topology, [{ ...found, state: 'exited', roles: undefined, address: null }], up);
    expect(down[1]).toMatchObject({ state: 'down', roles: { agent: 'down' }, address: '10.0.0.5' });
  });

  it('is told by what has changed alone', () => {
    const [before, after] = [
      itemsOf([leader('a')], [node('a'), node('b')]),
      itemsOf([], [node('a', { state: 'down' })]),
    ];
    expect(changesOf(before, before)).toBeUndefined();
    expect(changesOf(before, after)).toEqual({
      set: { 'member:a': after['member:a'] },
      gone: ['member:b', 'leader'],
    });
  });
});

describe('what is owed', () => {
  it('is each fault on record, and whatever else is down or frozen', () => {
    const hit = {
      id: 'slow',
      spec: { fault: 'loss', on: 'leader', percent: 5 },
      members: ['node1'],
    } as const;
    const members = [
      node('node1', { state: 'down' }),
      node('b', { state: 'frozen' }),
      node('c', { roles: { ...running, agent: 'frozen' } }),
      consumer,
    ];
    expect(Object.values(owedItems([hit], members))).toMatchObject([
      {
        id: 'slow',
        what: 'loss of 5 % of the packets at leader (node1)',
        undo: { do: 'heal', ids: ['slow'] },
      },
      { id: null, what: 'b is frozen', undo: { do: 'resume', to: ['b'] } },
      { id: null, what: 'agent of c is frozen', undo: { do: 'resume', to: ['c/agent'] } },
    ]);
  });
});

describe('the story', () => {
  const cluster = {
    is: 'cluster',
    kind: 'cluster',
    title: 't',
    folder: 'f',
    limits: null,
    gone: null,
  } as const;
  const etcd = { is: 'etcd', revision: 1, from: 1, stale: null } as const;
  const at = (entries: readonly Entry[], members: readonly SeenMember[], more: Items = {}): Items => ({
    ...{ cluster, etcd, ...itemsOf(entries, members), ...more },
  });

  it('tells a failover, and how long it took from the moment the leader was hit', () => {
    const story = createStory();
    const [well, hit, nobody, other] = [
      at([leader('a')], [node('a'), node('b')]),
      at([leader('a')], [node('a', { state: 'down' }), node('b')]),
      at([], [node('a', { state: 'down' }), node('b')]),
      at([leader('b', 9)], [node('a', { state: 'down' }), node('b')]),
    ];
    story.follow({ before: {}, after: well, atMs: 0 });
    expect(story.lines).toEqual([]);
    story.follow({ before: well, after: hit, atMs: 1_000 });
    story.follow({ before: hit, after: nobody, atMs: 3_500 });
    story.follow({ before: nobody, after: other, atMs: 4_200 });
    expect(story.lines.map(({ text }) => text)).toEqual([
      'a is down',
      'a leads no more: its key is gone, and nobody leads',
      'b leads (term 9), 3.2 s after a was hit',
    ]);
  });

  it('counts no later failover from an earlier blow', () => {
    const story = createStory();
    const down = node('a', { state: 'down' });
    const states = [
      at([leader('a')], [node('a'), node('b')]),
      at([leader('a')], [down, node('b')]),
      at([leader('b', 9)], [down, node('b')]),
      at([leader('c', 12)], [down, node('b')]),
    ];
    for (const [index, after] of states.entries())
      story.follow({ before: states[index - 1] ?? {}, after, atMs: index * 1_000 });
    expect(story.lines.at(-1)?.text).toBe('c leads (term 12)');
  });

  it('tells of volumes, roles, etcd and orders', () => {
    const story = createStory();
    const before = at([entry(volumeKey(ID), readyVolume({ state: 'scheduling', node: null }))], [node('a')]);
    const after = at(
      [entry(volumeKey(ID), readyVolume())],
      [node('a', { roles: { ...running, api: 'frozen' } })],
      {
        etcd: { ...etcd, stale: { sinceMs: 0, why: 'x' } },
        'order:1': { is: 'order', number: 1, what: 'kill b', state: 'failed', told: 'no such', atMs: 0 },
      },
    );
    const told = story.follow({ before, after, atMs: 5 });
    expect(told.map(({ tone, text }) => `${tone}: ${text}`).sort()).toEqual([
      'bad: etcd does not answer',
      'bad: kill b: no such',
      'doubtful: api of a is frozen',
      'good: volume data: scheduling → ready on a',
    ]);
  });

  it('tells of a volume that is placed without a step of its state', () => {
    const volume = (node: string | null) => entry(volumeKey(ID), readyVolume({ state: 'scheduling', node }));
    const [before, after] = [null, 'a'].map((place) => at([volume(place)], [node('a')]));
    const told = createStory().follow({ before: before ?? {}, after: after ?? {}, atMs: 5 });
    expect(told.map(({ text }) => text)).toEqual(['volume data: scheduling on a']);
  });
});
