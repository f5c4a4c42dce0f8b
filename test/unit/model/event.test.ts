// What consumers are told: example by example, and that whoever follows the events knows the truth.

import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type Author,
  assigned,
  completed,
  condemned,
  exported,
  handedOver,
  moveCancelled,
  moveGranted,
  newVolume,
  reexported,
} from '../../../src/model/changes.ts';
import { type ClusterEvent, clusterEventSchema, passes } from '../../../src/model/event.ts';
import type { ExportRule } from '../../../src/model/export.ts';
import type { Node } from '../../../src/model/node.ts';
import { advance, type Change, emptyPicture, type Picture, snapshotOf } from '../../../src/model/picture.ts';
import type { Role, Volume } from '../../../src/model/volume.ts';
import { misled, NOBODY, told } from './picture-support.ts';
import { actualOf, ID, nodeOf, readyVolume } from './volumes.ts';

const COPY = '0123456789abcdef-1';
const by = (role: Role, node = 'a'): Author => ({ writer: { role, node, term: null }, nowMs: 0 });
const rule = (host: string, access: 'rw' | 'ro' = 'rw'): ExportRule => ({ host, access, squash: 'none' });
const volumeChange = (value: Volume): Change => ({ kind: 'volume', id: value.id, value });
const nodeChange = (name: string, value?: Node): Change => ({ kind: 'node', name, value });

function pictureOf(volumes: readonly Volume[], nodes: readonly string[] = ['a', 'b']): Picture {
  return {
    ...emptyPicture(),
    volumes: new Map(volumes.map((volume) => [volume.id, volume])),
    nodes: new Map(nodes.map((name) => [name, nodeOf(name, { address: `${name}.test` })])),
  };
}

const exportedTo = (...rules: ExportRule[]): Volume =>
  readyVolume({ exports: rules, actual: actualOf({ exports: rules }) });

/** The events of one change, without the one about the volume's record. */
function eventsOf(picture: Picture, ...changes: Change[]): readonly ClusterEvent[] {
  return advance(picture, { revision: 7, changes }).filter(({ kind }) => kind !== 'volume');
}

const AT_A = { server: 'a.test', path: `/${ID}`, options: 'vers=4.1' };
const AT_B = { ...AT_A, server: 'b.test' };

describe('exports', () => {
  it('says who has to mount, to remount and to unmount', () => {
    const before = exportedTo(rule('10.0.0.1'), rule('10.0.0.2'), rule('10.0.0.3'));
    const after = exportedTo(rule('10.0.0.2', 'ro'), rule('10.0.0.3'), rule('10.0.0.4'));
    expect(eventsOf(pictureOf([before]), volumeChange(after))).toEqual([
      {
        kind: 'export',
        revision: 7,
        volume: ID,
        exports: after.exports,
        mount: AT_A,
        clients: [
          { host: '10.0.0.1', action: 'unmount', access: null, squash: null },
          { host: '10.0.0.2', action: 'remount', access: 'ro', squash: 'none' },
          { host: '10.0.0.4', action: 'mount', access: 'rw', squash: 'none' },
        ],
      },
    ]);
  });

  it('tells nobody of what is asked for, only of what is exported', () => {
    const before = exportedTo(rule('10.0.0.1'));
    const asked = reexported(before, [rule('10.0.0.2')], by('api'));
    const picture = pictureOf([before]);
    expect(eventsOf(picture, volumeChange(asked))).toEqual([]);
    expect(eventsOf(picture, volumeChange(exported(asked, by('agent'))))).toHaveLength(1);
  });

  it('knows a host however it is spelled', () => {
    const picture = pictureOf([exportedTo(rule('10.0.0.1'))]);
    expect(eventsOf(picture, volumeChange(exportedTo(rule('10.0.0.1/32'))))).toEqual([]);
  });

  it('goes by the narrowest rule that holds a host, and says so to those it spares', () => {
    const net = rule('10.0.0.0/24', 'ro');
    const host = rule('10.0.0.5', 'rw');
    const clients = (before: ExportRule[], after: ExportRule[]) =>
      eventsOf(pictureOf([exportedTo(...before)]), volumeChange(exportedTo(...after))).flatMap((event) =>
        event.kind === 'export'
          ? event.clients.map(({ host, action, access }) => [host, action, access])
          : [],
      );
    expect(clients([host, net], [net])).toEqual([['10.0.0.5', 'remount', 'ro']]);
    expect(clients([net], [net, host])).toEqual([['10.0.0.5', 'remount', 'rw']]);
    expect(clients([net, host], [host])).toEqual([
      ['10.0.0.0/24', 'unmount', null],
      ['10.0.0.5', 'mount', 'rw'],
    ]);
    expect(clients([net, rule('10.0.0.5', 'ro')], [net])).toEqual([]);
  });

  it('lets clients go as soon as the volume is to be deleted, and says so once', () => {
    const before = exportedTo(rule('10.0.0.1'));
    const picture = pictureOf([before]);
    const clients = [{ host: '10.0.0.1', action: 'unmount', access: null, squash: null }];
    expect(eventsOf(picture, volumeChange(condemned(before, by('api'))))).toMatchObject([{ clients }]);
    expect(eventsOf(picture, { kind: 'volume', id: ID, value: undefined })).toEqual([]);
  });

  it('sends nobody to a node that is away, and tells all when it is back', () => {
    const picture = pictureOf([exportedTo(rule('10.0.0.1'))]);
    expect(eventsOf(picture, nodeChange('a'))).toMatchObject([
      { kind: 'node', change: 'left', address: null },
    ]);
    const two = exportedTo(rule('10.0.0.1'), rule('10.0.0.2'));
    expect(eventsOf(picture, volumeChange(two))).toEqual([]);
    expect(eventsOf(picture, nodeChange('a', nodeOf('a', { address: 'a.test' })))).toMatchObject([
      { kind: 'node', change: 'joined' },
      { kind: 'export', mount: AT_A, clients: [{ action: 'mount' }, { action: 'mount' }] },
    ]);
  });

  it('has all clients remount when their server has another address', () => {
    const picture = pictureOf([exportedTo(rule('10.0.0.1'))]);
    const moved = nodeOf('a', { address: 'other.test' });
    expect(eventsOf(picture, nodeChange('a', moved))).toMatchObject([
      { kind: 'node', change: 'changed' },
      { kind: 'export', mount: { server: 'other.test' }, clients: [{ action: 'remount' }] },
    ]);
  });
});

describe('a node that is away', () => {
  const back = (address = 'a.test') => nodeChange('a', nodeOf('a', { address }));
  const actions = (events: readonly ClusterEvent[]) =>
    events.flatMap((event) => (event.kind === 'export' ? event.clients.map(({ action }) => action) : []));
  const away = (volume: Volume, ...nodes: string[]): Picture => {
    const picture = pictureOf([volume], ['a', ...nodes]);
    advance(picture, { revision: 6, changes: [nodeChange('a')] });
    return picture;
  };

  it('has nobody remount who has what there was', () => {
    expect(actions(eventsOf(away(exportedTo(rule('10.0.0.1'))), back()))).toEqual(['mount']);
  });

  it('has all remount when it comes back under another address', () => {
    expect(actions(eventsOf(away(exportedTo(rule('10.0.0.1'))), back('other.test')))).toEqual(['remount']);
  });

  it('has all remount when a permission has changed meanwhile, once', () => {
    const picture = away(exportedTo(rule('10.0.0.1')));
    expect(eventsOf(picture, volumeChange(exportedTo(rule('10.0.0.1', 'ro'))))).toEqual([]);
    expect(eventsOf(picture, back())).toMatchObject([
      { kind: 'node' },
      { kind: 'export', mount: AT_A, clients: [{ action: 'remount', access: 'ro' }] },
    ]);
    advance(picture, { revision: 8, changes: [nodeChange('a')] });
    expect(actions(eventsOf(picture, back()))).toEqual(['mount']);
  });

  it('has all remount when the volume has come to it meanwhile', () => {
    const moving = moveGranted(
      { ...exportedTo(rule('10.0.0.1')), node: 'b' },
      { node: 'a', cause: 'drain' },
      by('engine'),
    );
    const over = handedOver(moving, COPY, by('agent', 'b'));
    const picture = away(moving, 'b');
    advance(picture, { revision: 6, changes: [volumeChange(over)] });
    expect(eventsOf(picture, volumeChange(completed(over, by('agent', 'a'))))).toMatchObject([
      { phase: 'ready', mount: null, clients: [] },
    ]);
    expect(actions(eventsOf(picture, back()))).toEqual(['remount']);
  });

  it('has all remount when nobody knows what has changed meanwhile', () => {
    const picture = pictureOf([exportedTo(rule('10.0.0.1'))], ['b']);
    expect(actions(eventsOf(picture, back()))).toEqual(['remount']);
  });
});

describe('moves', () => {
  const moving = moveGranted(exportedTo(rule('10.0.0.1')), { node: 'b', cause: 'drain' }, by('engine'));
  const over = handedOver(moving, COPY, by('agent'));

  it('has clients wait at the handover, and remount when the new node exports', () => {
    const picture = pictureOf([moving]);
    expect(eventsOf(picture, volumeChange(over))).toEqual([
      {
        kind: 'move',
        revision: 7,
        phase: 'handed-over',
        from: 'a',
        to: 'b',
        volume: ID,
        exports: [],
        mount: null,
        clients: [],
      },
    ]);
    const ready = completed(over, by('agent', 'b'));
    expect(eventsOf(picture, volumeChange(ready))).toMatchObject([
      {
        phase: 'ready',
        from: null,
        to: 'b',
        mount: AT_B,
        exports: [rule('10.0.0.1')],
        clients: [{ host: '10.0.0.1', action: 'remount' }],
      },
    ]);
  });

  it('lets go whoever is shut out between two nodes', () => {
    const picture = pictureOf([over]);
    const without = reexported(over, [rule('10.0.0.2')], by('api'));
    expect(eventsOf(picture, volumeChange(without))).toMatchObject([
      { kind: 'export', mount: null, clients: [{ host: '10.0.0.1', action: 'unmount' }] },
    ]);
    expect(eventsOf(picture, volumeChange(completed(without, by('agent', 'b'))))).toMatchObject([
      { phase: 'ready', clients: [{ host: '10.0.0.2', action: 'remount' }] },
    ]);
  });

  it('says nothing to clients when a move is called off', () => {
    const picture = pictureOf([moving]);
    expect(eventsOf(picture, volumeChange(moveCancelled(moving, 'b has gone', by('engine'))))).toEqual([]);
  });
});

it('tells of the leader once a leader', () => {
  const picture = pictureOf([]);
  const leader = { node: 'a', instance: 'i', since: '2026-01-01T00:00:00.000Z' };
  const put: Change = { kind: 'leader', value: leader };
  expect(eventsOf(picture, put)).toEqual([{ kind: 'leader', revision: 7, node: 'a' }]);
  expect(eventsOf(picture, put)).toEqual([]);
  expect(eventsOf(picture, { kind: 'leader', value: undefined })).toMatchObject([{ node: null }]);
});

it('says nothing of a write that changes only who wrote, and when', () => {
  const before = readyVolume();
  const after = readyVolume({}, { updated: '2027-01-01T00:00:00.000Z' });
  expect(advance(pictureOf([before]), { revision: 7, changes: [volumeChange(after)] })).toEqual([]);
});

it.each<[string, boolean, Parameters<typeof passes>[0]]>([
  ['everything', true, { kinds: null, volumes: null }],
  ['its kind', true, { kinds: ['export'], volumes: null }],
  ['its volume', true, { kinds: null, volumes: [ID] }],
  ['another kind', false, { kinds: ['node'], volumes: null }],
  ['another volume', false, { kinds: ['export'], volumes: ['v0000000000000000'] }],
])('a filter for %s lets an export pass: %s', (_what, isWanted, filter) => {
  const event: ClusterEvent = {
    kind: 'export',
    revision: 1,
    volume: ID,
    exports: [],
    mount: null,
    clients: [],
  };
  expect(passes(filter, event)).toBe(isWanted);
});

// Random lives of two volumes on three nodes: steps that aren't legal where they come are passed over.
const IDS = ['v0000000000000001', 'v0000000000000002'];
const NODES = ['a', 'b', 'c'];
type Step = (picture: Picture) => Change | undefined;

const rules = fc.uniqueArray(
  fc.record({
    host: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.1.0.0/16'),
    access: fc.constantFrom('rw' as const, 'ro' as const),
    squash: fc.constantFrom('none' as const, 'root' as const),
  }),
  { selector: ({ host }) => host },
);
const node = fc.constantFrom(...NODES);
const onVolume =
  (step: (volume: Volume) => Volume | undefined) =>
  (id: string): Step =>
  (picture) => {
    const volume = picture.volumes.get(id);
    try {
      const value = volume && step(volume);
      return volume === undefined ? undefined : { kind: 'volume', id, value };
    } catch {
      return undefined;
    }
  };
const volumeStep = fc.oneof(
  fc.tuple(node, rules).map(
    ([name, exports]) =>
      (id: string): Step =>
      (picture) => {
        if (picture.volumes.has(id)) return undefined;
        const requested = { reserved_size: 1, constraints: {} };
        const ordered = newVolume(id, { name: 'data', meta: {}, requested, exports }, by('api'));
        return volumeChange(assigned(ordered, name, by('engine')));
      },
  ),
  fc.constant(onVolume((volume) => completed(volume, by('agent')))),
  fc.constant(onVolume((volume) => exported(volume, by('agent')))),
  fc.constant(onVolume((volume) => handedOver(volume, COPY, by('agent')))),
  fc.constant(onVolume((volume) => condemned(volume, by('api')))),
  fc.constant(onVolume((volume) => (volume.state === 'deleting' ? undefined : volume))),
  rules.map((exports) => onVolume((volume) => reexported(volume, exports, by('api')))),
  node.map((name) => onVolume((volume) => moveGranted(volume, { node: name, cause: 'drain' }, by('engine')))),
);
const nodeStep = fc.tuple(node, fc.constantFrom('here', 'there', undefined)).map(
  ([name, address]): Step =>
    () =>
      nodeChange(name, address === undefined ? undefined : nodeOf(name, { address: `${name}.${address}` })),
);
const history = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(volumeStep, fc.constantFrom(...IDS)).map(([step, id]) => step(id)) },
    { weight: 1, arbitrary: nodeStep },
  ),
  { minLength: 5, maxLength: 80 },
);

/** As somebody else takes it up, who has seen nothing of what was before. */
const copyOf = ({ volumes, nodes, leader }: Picture): Picture => ({
  ...emptyPicture(),
  volumes: new Map([...volumes].reverse()),
  nodes: new Map([...nodes].reverse()),
  leader,
});

/** Who has seen less may have more clients remount when a node comes back. */
const withoutActions = (events: readonly ClusterEvent[]): readonly unknown[] =>
  events.some(({ kind }) => kind === 'node')
    ? events.map((event) => ('clients' in event ? { ...event, clients: [] } : event))
    : events;

describe('whoever follows the events', () => {
  it('knows who may mount what, how and where, at every revision', () => {
    let served = 0;
    fc.assert(
      fc.property(history, (steps) => {
        const picture = pictureOf([]);
        let consumer = NOBODY;
        steps.forEach((step, index) => {
          const change = step(picture);
          const events =
            change === undefined ? [] : advance(picture, { revision: index + 1, changes: [change] });
          for (const event of events) expect(clusterEventSchema.parse(event)).toEqual(event);
          consumer = told(consumer, events);
          served += [...consumer.values()].filter((hosts) => hosts.size > 0).length;
          expect(misled(consumer, picture)).toBeUndefined();
        });
      }),
      { numRuns: 300 },
    );
    expect(served).toBeGreaterThan(100);
  });

  it('is told the same from any revision on, by whoever tells', () => {
    fc.assert(
      fc.property(history, fc.nat(79), (steps, cut) => {
        const first = pictureOf([]);
        let second: Picture | undefined;
        let consumer = NOBODY;
        steps.forEach((step, index) => {
          const revision = index + 1;
          if (index === cut) {
            second = copyOf(first);
            consumer = told(consumer, snapshotOf(second, revision));
          }
          const change = step(first);
          const changes = change === undefined ? [] : [change];
          const events = advance(first, { revision, changes });
          if (second === undefined) return;
          const same = advance(second, { revision, changes });
          expect(withoutActions(same)).toEqual(withoutActions(events));
          consumer = told(consumer, same);
          expect(misled(consumer, first)).toBeUndefined();
        });
      }),
      { numRuns: 200 },
    );
  });

  it('is misled by a history that lacks an event', () => {
    const moving = moveGranted(exportedTo(rule('10.0.0.1')), { node: 'b', cause: 'drain' }, by('engine'));
    const over = handedOver(moving, COPY, by('agent'));
    const picture = pictureOf([moving]);
    const consumer = told(NOBODY, snapshotOf(picture, 1));
    advance(picture, { revision: 2, changes: [volumeChange(over)] });
    advance(picture, { revision: 3, changes: [volumeChange(completed(over, by('agent', 'b')))] });
    expect(misled(consumer, picture)).toContain('which is at b.test');
  });
});
