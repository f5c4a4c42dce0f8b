// What each check makes of faults that are healed again: that they explain what they
// can bring about, for as long as they last and somewhat longer, and nothing else.

import { describe, expect, it } from '@jest/globals';
import { nodeKey } from '../../../../src/kv/keys.ts';
import { CHECKS } from '../../../../src/rig/checks/catalogue.ts';
import { outages } from '../../../../src/rig/checks/outages.ts';
import type { FaultSpec } from '../../../../src/rig/faults/spec.ts';
import type { NemesisEvent } from '../../../../src/rig/history.ts';
import { createHistory, type HistoryBuilder } from '../support/history.ts';

const THREE = { nodes: [{ name: 'node1' }, { name: 'node2' }], etcd: { members: 3 as const } };

/** From the one time to the other; without `healedMs` it is never healed. */
function faulted(
  history: HistoryBuilder,
  fault: FaultSpec,
  members: readonly string[],
  { atMs, healedMs, phase = 'inject' }: { atMs: number; healedMs?: number; phase?: NemesisEvent['phase'] },
): HistoryBuilder {
  const event = { type: 'nemesis', id: `${fault.fault} ${atMs}`, fault, members } as const;
  history.record({ ...event, atMs, phase });
  if (phase === 'inject') history.record({ ...event, atMs: atMs + 100, phase: 'shown' });
  if (healedMs === undefined) return history;
  return history.record({ ...event, atMs: healedMs - 100, phase: 'heal' }).record({
    ...event,
    atMs: healedMs,
    phase: 'healed',
  });
}

const loss = { fault: 'loss', on: 'node1', percent: 50 } as const;
const isolated = { fault: 'partition', shape: 'isolate', on: 'node1' } as const;
const halves = { fault: 'partition', shape: 'halves', on: 'node1' } as const;
const span = { atMs: 10_000, healedMs: 15_000 };
const registered = (topology?: Parameters<typeof createHistory>[0]) =>
  createHistory(topology).at(100).registers('node1', '11').registers('node2', '12');

describe('outages', () => {
  it('has what a fault impairs, from its injection until it was seen to be gone', () => {
    expect(outages(faulted(createHistory(), loss, ['node1'], span).run())).toMatchObject([
      { container: 'node1', role: undefined, kind: 'impaired', fromMs: 10_000, toMs: 15_000 },
    ]);
    expect(outages(faulted(createHistory(), loss, ['node1'], { atMs: 1_000 }).run())).toMatchObject([
      { toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('has nothing of a fault that was not to be had, that is on record as an act, or that hits a quota', () => {
    const none = faulted(createHistory(), loss, [], { atMs: 1_000, phase: 'unavailable' });
    faulted(none, { fault: 'kill', on: 'node1' }, ['node1'], span);
    faulted(none, { fault: 'quota-full', volume: 'v' }, [], span);
    expect(outages(none.run())).toEqual([]);
  });

  it('takes both halves of a partition for impaired, and only one side of a cut from etcd', () => {
    const hit = (fault: FaultSpec, members: readonly string[]) =>
      new Set(
        outages(faulted(createHistory(), fault, members, span).run()).map(({ container }) => container),
      );
    expect(hit(halves, ['node1'])).toEqual(new Set(['etcd', 'node1', 'node2', 'consumer1', 'consumer2']));
    expect(hit(isolated, ['node1'])).toEqual(new Set(['node1']));
    const cut = { fault: 'cut', from: ['node1'], to: ['etcd'] } as const;
    expect(hit(cut, ['node1', 'etcd'])).toEqual(new Set(['node1']));
  });

  it('takes etcd for impaired when one of its members is', () => {
    const slow = { fault: 'latency', on: 'etcd2', delayMs: 500, jitterMs: 0 } as const;
    const members = outages(faulted(createHistory(THREE), slow, ['etcd2'], span).run());
    expect(members.find(({ container }) => container === 'etcd')).toMatchObject({
      kind: 'impaired',
      fromMs: 10_000,
    });
  });

  it('takes a node that was removed for gone', () => {
    const run = faulted(createHistory(), { fault: 'node-removed', node: 'node2' }, ['node2'], span).run();
    expect(outages(run).at(-1)).toMatchObject({
      kind: 'down',
      fromMs: 10_100,
      toMs: Number.POSITIVE_INFINITY,
    });
  });
});

describe('heartbeats', () => {
  const lost = (atMs: number, node: string, history = faulted(registered(), loss, ['node1'], span)) =>
    CHECKS.heartbeats(history.at(atMs).remove(nodeKey(node)).at(60_000).expectation({}).run()).verdict;

  it('excuses the node that a fault impairs, until its lease could have expired after it, and no other', () => {
    expect([lost(12_000, 'node1'), lost(19_000, 'node1')]).toEqual(['valid', 'valid']);
    expect([lost(9_000, 'node1'), lost(40_000, 'node1')]).toEqual(['invalid', 'invalid']);
    expect(lost(12_000, 'node2')).toBe('invalid');
  });

  it('excuses all while etcd is parted from them, and judges anew what they register after', () => {
    const parted = () => faulted(registered(), halves, ['node1'], span);
    expect([lost(12_000, 'node1', parted()), lost(12_000, 'node2', parted())]).toEqual(['valid', 'valid']);
    const again = parted().at(12_000).remove(nodeKey('node2')).at(16_000).registers('node2', '22');
    expect(lost(40_000, 'node2', again)).toBe('invalid');
  });

  it('excuses an agent whose lease was revoked, not one beside an engine whose lease was', () => {
    const revoked = (role: 'agent' | 'engine') =>
      faulted(registered(), { fault: 'lease-revoked', on: 'node1', role }, ['node1'], span);
    expect(lost(10_200, 'node1', revoked('agent'))).toBe('valid');
    expect(lost(10_200, 'node1', revoked('engine'))).toBe('invalid');
  });

  it('excuses nothing by a fault that was not to be had', () => {
    const none = faulted(registered(), loss, [], { atMs: 10_000, phase: 'unavailable' });
    expect(lost(12_000, 'node1', none)).toBe('invalid');
  });
});

describe('logs', () => {
  const said = (fault: FaultSpec, line: (history: HistoryBuilder) => HistoryBuilder) =>
    CHECKS.logs(line(faulted(registered().at(0), fault, ['node1'], span)).run()).verdict;
  const error = (node: string, event: string) => (history: HistoryBuilder) =>
    history.at(12_000).log(node, 'error', event);
  const exit = (atMs: number) => (history: HistoryBuilder) =>
    history.at(atMs).log('node1', 'info', 'role.exited', { role: 'agent', code: 1 });

  it("explains the node's own errors, and neither another's nor what says that data is wrong", () => {
    expect(said(loss, error('node1', 'volume.work-failed'))).toBe('valid');
    expect(said(loss, error('node2', 'volume.work-failed'))).toBe('invalid');
    expect(said(loss, error('node1', 'move.digest-mismatch'))).toBe('invalid');
  });

  it('explains ends of roles by what ends them over and over, for as long as it does', () => {
    const failpoint = { fault: 'failpoint', on: 'node1', failpoints: 'x=crash' } as const;
    expect(said(failpoint, (history) => exit(12_000)(exit(11_000)(history)))).toBe('valid');
    expect(said(failpoint, exit(20_000))).toBe('invalid');
    expect(said(loss, exit(12_000))).toBe('invalid');
  });
});

describe('one-leader', () => {
  it('is not excused by a fault', () => {
    const history = faulted(registered(), halves, ['node1'], span);
    const term = history.at(11_000).elects('node1', '21');
    history.at(13_000).log('node2', 'info', 'engine.elected', { term: term + 1 });
    history.at(14_500).log('node2', 'info', 'engine.deposed', { term: term + 1 });
    expect(CHECKS['one-leader'](history.run()).verdict).toBe('invalid');
  });
});
