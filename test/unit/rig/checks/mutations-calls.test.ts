// Breaks one answer at a time in runs of many clients at once, and expects that
// it is seen: wherever in the run it is, and whatever goes on beside it.

import { describe, expect, it } from '@jest/globals';
import type { Volume } from '../../../../src/model/volume.ts';
import { linearizable } from '../../../../src/rig/checks/linearizable.ts';
import type { CallEvent, HistoryEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { playedApi } from '../support/played-api.ts';

/** Spread over the run. */
const MOST_PLACES = 8;
const CROWD = { calls: 400, volumes: 4, clients: 6 };
const original = playedApi({ ...CROWD, seed: 7, unanswered: 0 });

const isCall = (event: HistoryEvent): event is CallEvent => event.type === 'call';
const bodyOf = (event: CallEvent): Volume => event.body as Volume;
const replaced = (event: CallEvent, by: Partial<CallEvent>): RecordedRun => ({
  ...original,
  history: original.history.map((each) => (each === event ? { ...event, ...by } : each)),
});

/** Answers to a look at one volume, each with where in the record the look began. */
const reads = original.history.filter(isCall).flatMap((event) => {
  if (event.phase !== 'ok' || event.operation.kind !== 'http' || event.operation.method !== 'GET') return [];
  if (event.operation.path === '/volumes') return [];
  const isBegin = (each: HistoryEvent) => isCall(each) && each.call === event.call && each.phase === 'invoke';
  return [{ event, begunAt: original.history.findIndex(isBegin) }];
});

/** What was answered about the same volume before the look began, the newest first. */
const answersBefore = ({ event, begunAt }: (typeof reads)[number]): readonly CallEvent[] =>
  original.history
    .slice(0, begunAt)
    .filter(isCall)
    .filter((each) => each.etag !== undefined && bodyOf(each)?.id === bodyOf(event).id)
    .toReversed();

/** Else a deletion at the same time may have been the reason. */
const isSeenAfter = (event: CallEvent): boolean =>
  reads.some(
    (later) => later.begunAt > original.history.indexOf(event) && bodyOf(later.event).id === bodyOf(event).id,
  );

const revisionOf = ({ etag }: CallEvent): number => Number.parseInt(etag?.slice(1) ?? '0', 10);

/** One for each place where the bug can bite. */
const BUGS: Readonly<Record<string, () => readonly RecordedRun[]>> = {
  'a read goes back behind an answer': () =>
    reads.flatMap((read) => {
      const [newest, ...older] = answersBefore(read).toSorted((a, b) => revisionOf(b) - revisionOf(a));
      const stale = older.find((each) => newest !== undefined && revisionOf(each) < revisionOf(newest));
      return stale === undefined ? [] : [replaced(read.event, { body: stale.body, etag: stale.etag ?? '' })];
    }),
  'a read without an ETag shows the exports of before a change': () =>
    reads.flatMap((read) => {
      const before = answersBefore(read).find(
        ({ operation }) => operation.kind === 'http' && operation.path.endsWith('/exports'),
      );
      if (before === undefined) return [];
      const { etag: _etag, ...rest } = read.event;
      const body = { ...bodyOf(read.event), exports: [{ host: '10.9.9.9', access: 'rw', squash: 'none' }] };
      return [
        {
          ...original,
          history: original.history.map((each) => (each === read.event ? { ...rest, body } : each)),
        },
      ];
    }),
  'a volume that is there is not found': () =>
    reads
      .filter((read) => isSeenAfter(read.event))
      .map(({ event }) => {
        const { body: _body, etag: _etag, ...rest } = event;
        const lost = { ...rest, phase: 'fail' as const, status: 404 };
        return { ...original, history: original.history.map((each) => (each === event ? lost : each)) };
      }),
  'a change is accepted on a condition that does not hold': () =>
    original.history.filter(isCall).flatMap((event) => {
      const { operation } = event;
      if (event.status !== 202 || operation.kind !== 'http' || operation.ifMatch === undefined) return [];
      const stale = { ...operation, ifMatch: `"${revisionOf(event)}"` };
      const edited = (each: HistoryEvent): HistoryEvent =>
        isCall(each) && each.call === event.call ? { ...each, operation: stale } : each;
      return [{ ...original, history: original.history.map(edited) }];
    }),
  'a volume is lost in the end': () => {
    const state = original.history.at(-1);
    if (state?.type !== 'final-state') return [];
    return Object.entries(state.keys)
      .filter(([, value]) => (JSON.parse(value) as Volume).state !== 'deleting')
      .map(([key]) => {
        const { [key]: _lost, ...keys } = state.keys;
        return { ...original, history: [...original.history.slice(0, -1), { ...state, keys }] };
      });
  },
};

describe('a run of many clients at once', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('is linearizable, with seed %d', (seed) => {
    expect(linearizable(playedApi({ ...CROWD, seed })).verdict).toBe('valid');
    expect(linearizable(playedApi({ ...CROWD, seed, etags: false })).verdict).toBe('valid');
  });

  it.each(Object.entries(BUGS))('is invalid wherever %s', (_bug, mutants) => {
    const places = mutants();
    const all = places.filter((_, index) => index % Math.ceil(places.length / MOST_PLACES) === 0);
    expect(all.length).toBeGreaterThan(1);
    const missed = all.filter((mutant) => linearizable(mutant).verdict !== 'invalid');
    expect(missed.length).toBe(0);
  });

  it('is judged in few steps, however long it is', () => {
    const run = playedApi({ calls: 4_000, volumes: 40, clients: 10, seed: 1 });
    const { verdict, reason } = linearizable(run);
    expect(verdict).toBe('valid');
    expect(Number(/, (\d+) configurations/.exec(reason)?.[1])).toBeLessThan(8_000);
  });
});
