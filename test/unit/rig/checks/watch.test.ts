// Breaks one guarantee at a time in what a consumer was told of a long, calm run.

import { describe, expect, it } from '@jest/globals';
import { longRun } from '../../../../src/cli/bench-checks-run.ts';
import { CHECKS } from '../../../../src/rig/checks/catalogue.ts';
import { isCoveredBy } from '../../../../src/rig/checks/listeners.ts';
import { told } from '../../../../src/rig/checks/told.ts';
import { watch } from '../../../../src/rig/checks/watch.ts';
import type { HistoryEvent, RecordedRun, ToldEvent } from '../../../../src/rig/history.ts';
import { beganAnew, etcdFault } from '../support/resets.ts';

const original = longRun({ etcdEvents: 600, calls: 150 }, 3);
const heard = original.history.filter((event) => event.type === 'told');
const kindOf = ({ event }: ToldEvent): string => event;
const middle = (kind: string): ToldEvent => {
  const all = heard.filter((event) => kindOf(event) === kind && event.atMs > 5_000);
  return all[all.length >> 1] as ToldEvent;
};
/** With one event replaced by others. */
const replaced = (event: HistoryEvent, ...others: readonly HistoryEvent[]): RecordedRun => ({
  ...original,
  history: original.history.flatMap((each) => (each === event ? others : [each])),
});
const following = (event: ToldEvent): ToldEvent => heard[heard.indexOf(event) + 1] as ToldEvent;
/** The first of two events of one revision. */
const first = heard.find((event) => event.id === undefined && event.atMs > 5_000) as ToldEvent;
const volume = middle('volume');

const BUGS: Readonly<Record<string, () => RecordedRun>> = {
  'an event is missing': () => replaced(volume),
  'an event comes twice': () => replaced(volume, volume, volume),
  'an event tells of what never happened': () =>
    replaced(volume, { ...volume, data: { ...(volume.data as object), change: 'deleted' } }),
  'an event has another content than its revision': () =>
    replaced(volume, { ...volume, data: { ...(volume.data as object), state: 'error' } }),
  'an event has its volume on another node': () =>
    replaced(volume, { ...volume, data: { ...(volume.data as object), node: 'node9' } }),
  'events come out of order': () => {
    const next = heard.find(
      (event) => event.atMs > volume.atMs && event.id !== volume.id && event.id !== undefined,
    ) as ToldEvent;
    const swapped = original.history.map((event) =>
      event === volume ? next : event === next ? volume : event,
    );
    return { ...original, history: swapped };
  },
  'a revision is told in two parts': () => replaced(first, { ...first, id: following(first).id as string }),
  'the last of a revision has no id': () => {
    const last = following(first);
    const { id: _id, ...rest } = last;
    return replaced(last, rest);
  },
  'an id is another revision': () => replaced(volume, { ...volume, id: '1' }),
  'what it knew is told again after a break': () => {
    const { consumer, node, atMs } = volume;
    const broken = { type: 'follow', consumer, node, atMs, lastEventId: following(volume).id ?? '' } as const;
    const gone = [{ ...broken, phase: 'lost' } as const, { ...broken, phase: 'open' } as const];
    const last = following(volume);
    return replaced(last, last, ...gone, last);
  },
  'what happened during a break is left out': () => {
    const { consumer, node } = volume;
    const at = original.history.indexOf(volume);
    const known = heard[heard.indexOf(volume) - 1];
    const stream = { type: 'follow', consumer, node, atMs: volume.atMs } as const;
    const gone: readonly HistoryEvent[] = [
      { ...stream, phase: 'lost' },
      { ...stream, phase: 'open', ...(known?.id !== undefined && { lastEventId: known.id }) },
    ];
    const lost = (event: HistoryEvent, index: number): boolean => event.type === 'told' && index < at + 12;
    const rest = original.history.slice(at).filter((event, index) => !lost(event, at + index));
    return { ...original, history: [...original.history.slice(0, at), ...gone, ...rest] };
  },
};

describe('watch', () => {
  it('accepts a run in which a consumer was told of everything', () => {
    expect(watch(original).verdict).toBe('valid');
    expect(told(original).verdict).toBe('valid');
  });

  it.each(Object.entries(BUGS))('rejects that %s', (_bug, broken) => {
    const { verdict, counterExample } = watch(broken());
    expect(verdict).toBe('invalid');
    expect(counterExample?.length).toBeGreaterThan(0);
  });

  it('accepts a break after which the consumer is told of the rest', () => {
    const { consumer, node, atMs } = volume;
    const last = heard.slice(0, heard.indexOf(volume)).findLast(({ id }) => id !== undefined) as ToldEvent;
    const stream = { type: 'follow', consumer, node, atMs, lastEventId: last.id as string } as const;
    const run = replaced(last, last, { ...stream, phase: 'lost' }, { ...stream, phase: 'open' });
    expect(watch(run).verdict).toBe('valid');
  });

  it('is excused by a reset of what was committed since it heard something, and of nothing before', () => {
    const last = heard.at(-1) as ToldEvent;
    const { revision } = last.data as { readonly revision: number };
    const compaction = etcdFault('etcd-compaction', { fromMs: last.atMs - 1, toMs: last.atMs });
    const run = replaced(last, last, ...compaction, ...beganAnew(original, { atMs: last.atMs, revision }));
    const without = (...missed: readonly HistoryEvent[]): RecordedRun => ({
      ...run,
      history: run.history.filter((event) => !missed.includes(event)),
    });
    expect(watch(run).verdict).toBe('valid');
    expect(watch(without(volume)).verdict).toBe('invalid');
    const inGap = (event: ToldEvent): boolean => event.atMs > volume.atMs && event !== last;
    expect(watch(without(last, ...heard.filter(inGap))).verdict).toBe('valid');
  });

  it('is excused by a reset of a store that took the place of one with more revisions', () => {
    const [last] = heard.slice(-1) as [ToldEvent];
    const { revision } = last.data as { readonly revision: number };
    const reset = (reason: string, upTo: number): ToldEvent => ({
      ...last,
      event: 'reset',
      data: { kind: 'reset', revision: upTo, reason },
    });
    const later = reset('compacted', revision + 20);
    const all = [last, { ...last, data: { revision: revision + 1_000 } }, reset('replaced', revision), later];
    const isCovered = isCoveredBy({ events: all });
    expect([revision, revision + 10, revision + 21].map(isCovered)).toEqual([true, true, false]);
  });

  it('without any data is judged as any other, and excuses nothing', () => {
    const last = heard.at(-1) as ToldEvent;
    const run = replaced(last, last, { ...last, event: 'reset', data: null });
    expect([told(run).verdict, watch(run).verdict]).toEqual(['invalid', 'invalid']);
  });

  it('is not excused by the end of a node that the consumer no longer listens to', () => {
    const { consumer, atMs } = volume;
    const last = heard.slice(0, heard.indexOf(volume)).findLast(({ id }) => id !== undefined) as ToldEvent;
    const stream = { type: 'follow', consumer, atMs, lastEventId: last.id as string } as const;
    const killed = { type: 'fault', fault: 'kill', container: 'node1', atMs: atMs - 1 } as const;
    const missed = heard[heard.indexOf(volume) + 40] as ToldEvent;
    const run = (isTold: boolean): RecordedRun => {
      const moved = replaced(
        last,
        last,
        { ...killed, phase: 'inject' },
        { ...killed, phase: 'injected' },
        { ...stream, node: 'node1', phase: 'lost' },
        { ...stream, node: 'node2', phase: 'open' },
      );
      // All of its revision, or there would be a break of another kind.
      const isOf = (event: HistoryEvent): boolean =>
        event.type === 'told' &&
        (event.data as { revision?: number }).revision === (missed.data as { revision?: number }).revision;
      return isTold ? moved : { ...moved, history: moved.history.filter((event) => !isOf(event)) };
    };
    expect(watch(run(true)).verdict).toBe('valid');
    expect(watch(run(false))).toMatchObject({
      verdict: 'invalid',
      reason: expect.stringContaining('never told'),
    });
  });

  it('knows nothing where nobody followed, or where part of the history is missing', () => {
    const alone = { ...original, history: original.history.filter(({ type }) => type !== 'follow') };
    expect(watch(alone).verdict).toBe('unknown');
    expect(watch({ ...original, etcdComplete: false }).verdict).toBe('unknown');
  });
});

describe('a long run of a cluster in which nothing goes wrong', () => {
  it('is invalid by no check', () => {
    const verdicts = Object.values(CHECKS).map((check) => check(original));
    expect(verdicts.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
    expect(verdicts.filter(({ verdict }) => verdict === 'valid').length).toBeGreaterThan(18);
  });
});
