import { describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { linearizable } from '../../../../src/rig/checks/linearizable.ts';
import type { CallEvent, Operation, RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory, OTHER_ID, VOLUME_ID } from '../support/history.ts';

type Http = Extract<Operation, { readonly kind: 'http' }>;
type Said = readonly [
  fromMs: number,
  toMs: number,
  asked: Pick<Http, 'method' | 'path'> & Partial<Http>,
  answer: Pick<CallEvent, 'status' | 'body' | 'etag'>,
];

const ORDER = {
  name: 'a',
  meta: {},
  requested: { reserved_size: 1, constraints: {} },
  exports: [],
};
const at = (nowMs: number) => ({ ...by('api', 'node1'), nowMs });
const PATH = `/volumes/${VOLUME_ID}`;
const ordered = change.newVolume(VOLUME_ID, ORDER, at(0));
const ready = change.completed({ ...ordered, node: 'node1' }, { ...by('agent', 'node1'), nowMs: 1 });
const rules = [{ host: '10.0.0.9', access: 'rw' as const, squash: 'none' as const }];
const others = [{ host: '10.0.0.8', access: 'ro' as const, squash: 'none' as const }];
const shared = change.reexported(ready, rules, at(2));
const again = change.reexported(shared, others, at(3));
const sized = (reserved_size: number) => ({ reserved_size, constraints: {} });
const larger = change.requested(ready, sized(2), at(4));
const condemned = change.condemned(ready, at(5));

const tag = (revision: number) => ({ etag: `"${revision}"` });
const view = (volume: Volume, revision?: number) => ({
  body: { ...volume, mount: null },
  ...(revision !== undefined && tag(revision)),
});
const ok = (volume: Volume, revision?: number) => ({ status: 200, ...view(volume, revision) });
const accepted = (volume: Volume, revision?: number) => ({ status: 202, ...view(volume, revision) });
const gone = { status: 404 };
const nobodyKnows = { status: 503 };

const get = { method: 'GET', path: PATH } as const;
const order = { method: 'POST', path: '/volumes', body: ORDER } as const;
const resize = { method: 'PUT', path: PATH, body: { requested: sized(2) } } as const;
const share = { method: 'PUT', path: `${PATH}/exports`, body: { exports: rules } } as const;
const shareAgain = { method: 'PUT', path: `${PATH}/exports`, body: { exports: others } } as const;
const remove = { method: 'DELETE', path: PATH } as const;
const list = { method: 'GET', path: '/volumes' } as const;
const page = (...volumes: readonly Volume[]) => ({
  status: 200,
  body: { volumes: volumes.map((volume) => ({ ...volume, mount: null })), next: null },
});
const made: Said = [0, 1, order, accepted(ordered, 5)];

function runOf(said: readonly Said[], left?: readonly Volume[]): RecordedRun {
  const history = createHistory();
  for (const [index, [fromMs, toMs, asked, answer]] of said.entries()) {
    const operation: Http = { kind: 'http', node: 'node1', ...asked };
    const call = { type: 'call', call: index + 1, process: `client${index}`, operation } as const;
    const status = answer.status ?? 500;
    const unknown = operation.method === 'GET' ? 'fail' : 'info';
    history.record({ ...call, atMs: fromMs, phase: 'invoke' });
    history.record({
      ...call,
      atMs: toMs,
      phase: status < 400 ? 'ok' : status < 500 ? 'fail' : unknown,
      ...answer,
    });
  }
  if (left !== undefined) {
    const keys = Object.fromEntries(left.map((volume) => [volumeKey(volume.id), JSON.stringify(volume)]));
    const nothing = { keyLeases: {}, leases: [] };
    history.record({ type: 'final-state', atMs: 1e6, revision: 99, keys, ...nothing });
  }
  return history.run();
}

const GOOD: Readonly<Record<string, readonly [readonly Said[], (readonly Volume[])?]>> = {
  'a volume that becomes ready by itself': [[made, [2, 3, get, ok(ready, 7)], [4, 5, get, ok(ready, 7)]]],
  'a read beside a change that shows what was before it': [
    [made, [2, 9, share, accepted(shared, 8)], [3, 4, get, ok(ready, 7)], [10, 11, get, ok(shared, 8)]],
  ],
  'two changes at once, whose revisions say which was first': [
    [
      made,
      [2, 9, shareAgain, accepted(again, 9)],
      [3, 8, share, accepted(shared, 8)],
      [10, 11, get, ok(again, 9)],
    ],
  ],
  'a change without an answer that happens late': [
    [made, [2, 3, share, nobodyKnows], [4, 5, get, ok(ready)], [6, 7, get, ok(shared)]],
  ],
  'a change without an answer that never happens': [
    [made, [2, 3, share, nobodyKnows], [4, 5, get, ok(ready)]],
    [ready],
  ],
  'an order without an answer, whose volume turns up': [
    [
      [0, 1, order, nobodyKnows],
      [2, 3, list, page()],
      [4, 5, list, page(ordered)],
    ],
  ],
  'a deletion, of which nothing is left': [
    [made, [2, 3, remove, accepted(condemned, 8)], [4, 5, get, ok(condemned, 8)], [6, 7, get, gone]],
    [],
  ],
  'a stale condition that is refused': [
    [
      made,
      [2, 3, share, accepted(shared, 8)],
      [4, 5, { ...shareAgain, ifMatch: '"5"' }, { status: 412 }],
      [6, 7, get, ok(shared, 8)],
    ],
  ],
  'a condition that names what is there': [
    [made, [2, 3, get, ok(ready, 7)], [4, 5, { ...share, ifMatch: '"6", "7-0a"' }, accepted(shared, 8)]],
  ],
  'a rewrite that gives up what could not be granted': [
    [
      made,
      [2, 3, resize, accepted(larger, 8)],
      [4, 5, { method: 'POST', path: `${PATH}/defragment`, body: {} }, accepted(ready, 9)],
    ],
  ],
  'the order of a clone of what is there, and one of what is gone': [
    [
      made,
      [2, 3, { ...order, body: { ...ORDER, id: VOLUME_ID } }, accepted(cloned(), 8)],
      [4, 5, remove, accepted(condemned, 9)],
      [6, 7, get, gone],
      [8, 9, { ...order, body: { ...ORDER, id: VOLUME_ID } }, gone],
    ],
  ],
};

function cloned(): Volume {
  return change.newClone(OTHER_ID, { ...ORDER, parentId: VOLUME_ID }, at(6));
}

const BAD: Readonly<Record<string, readonly [readonly Said[], (readonly Volume[])?]>> = {
  'a stale read': [[made, [2, 3, share, accepted(shared)], [4, 5, get, ok(ready)]]],
  'a stale read of what an agent has changed': [
    [made, [2, 3, get, ok(ready, 7)], [4, 5, get, ok(ordered, 5)]],
  ],
  'a stale list': [[made, [2, 3, share, accepted(shared)], [4, 5, list, page(ready)]]],
  'a stale 404': [[made, [2, 3, get, gone]]],
  'a list without what is there': [[made, [2, 3, list, page()]]],
  'a lost update': [[made, [2, 3, share, accepted(shared, 8)]], [ready]],
  'a lost order': [[made], []],
  'a lost deletion': [[made, [2, 3, remove, accepted(condemned, 8)]], [ready]],
  'a change that takes back another one': [
    [
      made,
      [2, 3, resize, accepted(larger, 8)],
      [4, 5, share, accepted(change.reexported(ready, rules, at(9)), 9)],
    ],
  ],
  'a refused change that happens all the same': [
    [made, [2, 3, share, { status: 409 }], [4, 5, get, ok(shared)]],
  ],
  'a malformed change that happens all the same': [
    [made, [2, 3, share, { status: 400 }], [4, 5, get, ok(shared)]],
  ],
  'exports that nobody asked for': [[made, [2, 3, share, accepted(shared)], [4, 5, get, ok(again)]]],
  'a change without an answer that is seen before it is asked for': [
    [made, [2, 3, get, ok(shared)], [4, 5, share, nobodyKnows]],
  ],
  'a change without an answer that happens twice': [
    [
      made,
      [2, 3, share, nobodyKnows],
      [4, 5, get, ok(shared)],
      [6, 7, shareAgain, accepted(again)],
      [8, 9, get, ok(shared)],
    ],
  ],
  'a resurrection': [
    [
      made,
      [2, 3, remove, accepted(condemned, 8)],
      [4, 5, get, gone],
      [6, 7, get, ok(change.reexported(ready, [], at(10)), 10)],
    ],
  ],
  'a deletion that is taken back': [
    [made, [2, 3, remove, accepted(condemned, 8)], [4, 5, get, ok(ready, 9)]],
  ],
  'a volume that goes away by itself': [[made, [2, 3, get, ok(ready, 7)], [4, 5, get, gone]]],
  'one ETag for two contents': [[made, [2, 3, get, ok(ready, 7)], [4, 5, get, ok(shared, 7)]]],
  'an ETag that goes back': [[made, [2, 3, get, ok(ready, 7)], [4, 5, get, ok(ready, 6)]]],
  'two changes with one ETag': [
    [made, [2, 9, share, accepted(shared, 8)], [3, 8, shareAgain, accepted(again, 8)]],
  ],
  'a change on a stale condition': [
    [made, [2, 3, share, accepted(shared, 8)], [4, 5, { ...shareAgain, ifMatch: '"5"' }, accepted(again, 9)]],
  ],
  'a condition that is refused although it holds': [
    [
      made,
      [2, 3, share, accepted(shared, 8)],
      [4, 5, { ...shareAgain, ifMatch: '"8"' }, { status: 412 }],
      [6, 7, get, ok(shared, 8)],
    ],
  ],
  'two changes on one condition': [
    [
      made,
      [2, 9, { ...share, ifMatch: '"5"' }, accepted(shared, 8)],
      [3, 8, { ...shareAgain, ifMatch: '"5"' }, accepted(again, 9)],
    ],
  ],
  'an unchanged answer although it is otherwise': [[made, [2, 3, share, { status: 304, ...tag(7) }]]],
  'one order, two volumes': [
    [
      [0, 1, order, nobodyKnows],
      [4, 5, list, page(ordered, { ...ordered, id: OTHER_ID })],
    ],
  ],
  'a volume that nobody ordered': [[[4, 5, list, page(ordered)]]],
  'a volume that is not as it was ordered': [
    [
      [0, 1, order, accepted({ ...ordered, requested: sized(7) }, 5)],
      [2, 3, get, ok(ready, 7)],
    ],
  ],
  'a clone of what is gone': [
    [
      made,
      [2, 3, remove, accepted(condemned, 8)],
      [4, 5, get, gone],
      [6, 7, { ...order, body: { ...ORDER, id: VOLUME_ID } }, accepted(cloned(), 10)],
    ],
  ],
};

/** What etcd held at which revisions; lists don't tell them. */
const HELD: readonly (readonly [revision: number, Volume])[] = [
  [5, ordered],
  [7, ready],
  [8, shared],
];

/** The same calls beside what etcd committed. */
function besideEtcd(said: readonly Said[]): RecordedRun {
  const etcd = HELD.map(([revision, volume]) => {
    const value = JSON.stringify(volume);
    return { atMs: revision, revision, kind: 'put', key: volumeKey(VOLUME_ID), value } as const;
  });
  return { ...runOf(said), etcd };
}

describe('linearizable', () => {
  it('knows by etcd what a list is as of, and what an ETag belongs to', () => {
    const judged = (...said: readonly Said[]) => linearizable(besideEtcd([made, ...said])).verdict;
    expect(judged([2, 3, list, page(ordered)], [4, 5, list, page(ready)])).toBe('valid');
    expect(judged([2, 3, list, page(ready)], [4, 5, list, page(ordered)])).toBe('invalid');
    expect(judged([2, 3, get, ok(ready, 7)], [4, 5, list, page(ordered)])).toBe('invalid');
    expect(judged([2, 3, get, ok(ready, 5)], [4, 5, get, ok(ready, 7)])).toBe('invalid');
    expect(judged([2, 3, get, ok(ready, 8)])).toBe('invalid');
  });

  it.each(Object.entries(GOOD))('accepts %s', (_what, [said, left]) => {
    expect(linearizable(runOf(said, left))).toMatchObject({ verdict: 'valid' });
  });

  it.each(Object.entries(BAD))('rejects %s', (_what, [said, left]) => {
    const found = linearizable(runOf(said, left));
    expect(found.verdict).toBe('invalid');
    expect(found.counterExample?.length).toBeGreaterThan(1);
  });

  it('knows nothing of changes of which no answer came, though etcd was looked at in the end', () => {
    const said: readonly Said[] = [made, [2, 3, resize, nobodyKnows], [4, 5, share, nobodyKnows]];
    expect(linearizable(runOf(said, [ready]))).toMatchObject({
      verdict: 'unknown',
      reason: 'no client was answered about a volume but by who took its order',
    });
  });

  it('shows what fits no order, what it is against, and what the volume could have been', () => {
    const said: readonly Said[] = [
      made,
      [2, 3, share, accepted(shared, 8)],
      [4, 5, get, ok(ready, 7)],
      [6, 7, get, ok(shared, 8)],
    ];
    expect(linearizable(runOf(said))).toEqual({
      check: 'linearizable',
      verdict: 'invalid',
      reason:
        'the answers about volume v00000000000000a1 fit no order: 2 of 4 calls did, with one more nothing does',
      counterExample: [
        '+0.004 s to +0.005 s: GET /volumes/v00000000000000a1 at node1 by client2 (call 3): 200, ' +
          'it is there at revision 7: name a, 1 GiB, exports to nobody',
        '  against +0.002 s to +0.003 s: PUT /volumes/v00000000000000a1/exports at node1 by client1 (call 2): 202, ' +
          'changed at revision 8: exports 10.0.0.9 rw none',
        '  it could only have been there, at revision 8 or later: name a, 1 GiB, exports 10.0.0.9 rw none',
      ],
    });
  });

  it.each<readonly [string, readonly Said[]]>([
    ['nothing', []],
    ['an order alone', [made]],
    [
      'a volume that never was',
      [
        [0, 1, get, gone],
        [2, 3, get, gone],
      ],
    ],
    [
      'answers that say nothing',
      [
        [0, 1, order, nobodyKnows],
        [2, 3, get, nobodyKnows],
      ],
    ],
  ])('knows nothing of %s', (_what, said) => {
    expect(linearizable(runOf(said))).toMatchObject({
      verdict: 'unknown',
      reason: 'no volume was looked at after a client had changed it',
    });
  });
});
