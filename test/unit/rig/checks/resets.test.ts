import { describe, expect, it } from '@jest/globals';
import { longRun } from '../../../../src/cli/bench-checks-run.ts';
import * as change from '../../../../src/model/changes.ts';
import { told } from '../../../../src/rig/checks/told.ts';
import { watch } from '../../../../src/rig/checks/watch.ts';
import type { HistoryEvent, RecordedRun, ToldEvent } from '../../../../src/rig/history.ts';
import { by, VOLUME_ID } from '../support/history.ts';
import { drainedRun } from '../support/moves.ts';
import { beganAnew, etcdFault } from '../support/resets.ts';

/** The stream is lost at 20 s, access is taken away meanwhile, and at 30 s it goes on where it was. */
function revoked(
  afterwards: (run: RecordedRun, revision: number) => readonly HistoryEvent[],
  { lostMs = 20_000, endMs = 60_000 } = {},
): RecordedRun {
  const { history, volume } = drainedRun();
  const stream = { type: 'follow', consumer: 'consumer1', node: 'node1' } as const;
  const lastEventId = String(history.revision());
  history.record({ ...stream, atMs: lostMs, phase: 'lost', lastEventId });
  const wanted = history.at(25_000).write(change.reexported(volume, [], by('api', 'node2')));
  history.at(25_100).write(change.exported(wanted, by('agent', 'node1')));
  history.record({ ...stream, atMs: 30_000, phase: 'open', lastEventId });
  for (const event of afterwards(history.run(), history.revision())) history.record(event);
  return history.at(endMs).follow('end', 'consumer1').run();
}

const judged = (run: RecordedRun) =>
  [told(run), watch(run)].map(({ reason, verdict }) => `${verdict}: ${reason}`);
const bothAre = (verdict: string) => [1, 2].map(() => expect.stringContaining(verdict));
const compaction = etcdFault('etcd-compaction', { fromMs: 26_000, toMs: 29_000 });
const anew = (run: RecordedRun, revision: number) => beganAnew(run, { atMs: 30_100, revision });
/** What is told, with every snapshot of the volume edited. */
const edited =
  (edit: (event: ToldEvent) => readonly ToldEvent[]) =>
  (run: RecordedRun, revision: number): readonly HistoryEvent[] => [
    ...compaction,
    ...anew(run, revision).flatMap((event) => (isOfVolume(event) ? edit(event) : [event])),
  ];
const isOfVolume = ({ data }: ToldEvent): boolean =>
  (data as { readonly item?: { readonly volume?: string } }).item?.volume === VOLUME_ID;
const withItem = (event: ToldEvent, fields: object): ToldEvent => {
  const data = event.data as { readonly item: object };
  return { ...event, data: { ...data, item: { ...data.item, ...fields } } };
};

describe('a reset', () => {
  it('takes the place of what was compacted away, with all that there is', () => {
    expect(judged(revoked((run, revision) => [...compaction, ...anew(run, revision)]))).toEqual(
      bothAre('valid'),
    );
  });

  it('is accepted at any moment of a long run, whatever its volumes are about', () => {
    const run = longRun({ etcdEvents: 600, calls: 150 }, 3);
    const places = run.history.filter((event) => event.type === 'told' && event.id !== undefined);
    const compacted = etcdFault('etcd-compaction', { fromMs: 1, toMs: Number.POSITIVE_INFINITY });
    for (const place of places.filter((_, index) => index % 10 === 0)) {
      const { atMs, id } = place as ToldEvent;
      const snapshot = beganAnew(run, { atMs, revision: Number(id) });
      const isOfRevision = (event: HistoryEvent): boolean =>
        event.type === 'told' && (event.data as { readonly revision: number }).revision === Number(id);
      const history = run.history.flatMap<HistoryEvent>((event) =>
        event === place ? snapshot : isOfRevision(event) ? [] : [event],
      );
      const judgedRun = { ...run, history: [...compacted, ...history] };
      expect([told(judgedRun), watch(judgedRun)].filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
    }
  });

  it('is rejected where nothing has called for it', () => {
    expect(judged(revoked(anew))).toEqual(bothAre('begin anew for nothing'));
    const without = (spans: { fromMs: number; toMs: number }, fault: 'etcd-compaction' | 'etcd-data-loss') =>
      judged(revoked((run, revision) => [...etcdFault(fault, spans), ...anew(run, revision)]));
    // It came later, or reached no further than what the consumer had heard.
    expect(without({ fromMs: 31_000, toMs: 32_000 }, 'etcd-compaction')).toEqual(bothAre('for nothing'));
    expect(without({ fromMs: 2_000, toMs: 3_000 }, 'etcd-compaction')).toEqual(bothAre('for nothing'));
    expect(without({ fromMs: 26_000, toMs: 29_000 }, 'etcd-data-loss')).toEqual(bothAre('valid'));
    expect(without({ fromMs: 31_000, toMs: 32_000 }, 'etcd-data-loss')).toEqual(bothAre('for nothing'));
    const otherwise = revoked((run, revision) => [
      ...compaction,
      ...anew(run, revision).map((event) =>
        event.event === 'reset'
          ? { ...event, data: { ...(event.data as object), reason: 'replaced' } }
          : event,
      ),
    ]);
    expect(judged(otherwise)).toEqual(bothAre('for nothing'));
  });

  it('is rejected alone, or without a volume, a node or the leader', () => {
    const alone = revoked((run, revision) => [
      ...compaction,
      ...anew(run, revision)
        .slice(0, 1)
        .map((event) => ({ ...event, id: String(revision) })),
    ]);
    expect(judged(alone)).toEqual(bothAre('not all that there is'));
    for (const left of [1, 2, 3]) {
      const run = revoked((recorded, revision) => [
        ...compaction,
        ...anew(recorded, revision).toSpliced(left, 1),
      ]);
      expect(judged(run)).toEqual(bothAre('not all that there is'));
    }
  });

  it.each<[string, (event: ToldEvent) => readonly ToldEvent[]]>([
    [
      'has other exports',
      (event) => [withItem(event, { exports: [{ host: '10.0.0.11', access: 'rw', squash: 'none' }] })],
    ],
    ['is elsewhere', (event) => [withItem(event, { mount: { server: 'node2', path: '/x', options: '' } })]],
    ['is served by nobody', (event) => [withItem(event, { mount: null })]],
    ['has exports that are none', (event) => [withItem(event, { exports: 1, mount: 'node1' })]],
    ['is in another state', (event) => [withItem(event, { state: 'pending' })]],
    [
      'is told of twice',
      ({ id: _id, ...event }) => [event, { ...event, ...(_id !== undefined && { id: _id }) }],
    ],
    ['is another one', (event) => [withItem(event, { volume: 'v00000000000000ff' })]],
    ['is nothing', (event) => [{ ...event, data: { kind: 'snapshot', revision: Number(event.id) } }]],
  ])('is rejected with a volume that %s', (_, edit) => {
    expect(judged(revoked(edited(edit)))).toEqual(bothAre('was told what there is, and'));
  });

  it('may be cut off by the end of the stream, and begins again with the next', () => {
    const cut = (run: RecordedRun, revision: number) => anew(run, revision).slice(0, 2);
    expect(judged(revoked((...of) => [...compaction, ...cut(...of)], { endMs: 31_000 }))).toEqual(
      bothAre('valid'),
    );
    expect(judged(revoked((...of) => [...compaction, ...cut(...of)]))).toEqual(
      bothAre('not all that there is'),
    );
    const again = revoked((run, revision) => [
      ...compaction,
      ...cut(run, revision),
      ...(['lost', 'open'] as const).map(
        (phase): HistoryEvent => ({
          type: 'follow',
          atMs: 30_100,
          consumer: 'consumer1',
          node: 'node1',
          phase,
          lastEventId: String(revision - 2),
        }),
      ),
      ...anew(run, revision),
    ]);
    expect(judged(again)).toEqual(bothAre('valid'));
  });

  it('must have begun what is told as a snapshot', () => {
    const run = revoked((recorded, revision) => [...compaction, ...anew(recorded, revision).slice(1)]);
    expect(judged(run)).toEqual(bothAre('no reset began it'));
  });
});
