// Faults at random times: what they may bring about in a correct system passes, the
// same without them, or long after, doesn't.

import { describe, expect, it } from '@jest/globals';
import { CHECKS } from '../../../../src/rig/checks/catalogue.ts';
import { createHistory, type HistoryBuilder, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { drainedRun, drains, moves } from '../support/moves.ts';
import { calmRun, outageRun } from '../support/runs.ts';

const pausedFor = (history: HistoryBuilder, name: string, fromMs: number, toMs: number): HistoryBuilder =>
  history.at(fromMs).fault('pause', name).at(toMs).fault('resume', name);

describe('traffic-uninterrupted', () => {
  it('judges no client that another fault touched meanwhile', () => {
    const failing = (disturb: (history: HistoryBuilder) => void) => {
      const { history } = outageRun();
      history.at(19_000).io({ kind: 'nfs-read', consumer: 'consumer1', process: 'traffic', outcome: 'fail' });
      disturb(history);
      return CHECKS['traffic-uninterrupted'](history.run()).verdict;
    };
    expect(failing(() => undefined)).toBe('invalid');
    expect(failing((history) => pausedFor(history, 'consumer1', 18_800, 20_000))).toBe('unknown');
    expect(failing((history) => pausedFor(history, 'consumer2', 18_800, 20_000))).toBe('invalid');
  });
});

describe('constraints', () => {
  it('lets an engine that was frozen finish what it had decided before a drain, and none that was not', () => {
    const sent = (frozenMs: number | undefined) => {
      const { history, volume, term } = drainedRun();
      history.at(20_000).registers('node2', '12');
      drains(history.at(30_000), 'node2');
      if (frozenMs !== undefined) pausedFor(history, 'node1', 30_000, 30_000 + frozenMs);
      moves(history, volume, { atMs: 32_500, term, to: 'node2', cause: 'rebalance' });
      return CHECKS.constraints(history.run()).verdict;
    };
    expect([sent(2_400), sent(undefined), sent(500)]).toEqual(['valid', 'invalid', 'invalid']);
  });
});

describe('convergence', () => {
  const lacking = (disturb: (history: HistoryBuilder) => void) => {
    const { history } = calmRun();
    disturb(history);
    for (const node of ['node1', 'node2']) history.at(40_000).inventory('final', node);
    return CHECKS.convergence(history.finalState().run()).verdict;
  };

  it('knows nothing of a node that had no time to come to rest, and rejects it where it had', () => {
    expect(lacking(() => undefined)).toBe('invalid');
    expect(lacking((history) => pausedFor(history, 'node2', 37_000, 38_000))).toBe('unknown');
    expect(lacking((history) => pausedFor(history, 'node2', 20_000, 21_000))).toBe('invalid');
    expect(lacking((history) => pausedFor(history, 'node1', 37_000, 38_000))).toBe('invalid');
  });

  it('rejects a node that had time, whatever nobody knows of the one before it', () => {
    const { history } = calmRun();
    pausedFor(history, 'node1', 37_000, 38_000);
    history.at(40_000).inventory('final', 'node1', { exports: [{ id: OTHER_ID, clients: [] }] });
    const alone = history.finalState().run();
    expect(CHECKS.convergence(alone).verdict).toBe('unknown');
    history.inventory('final', 'node2');
    expect(CHECKS.convergence(history.run()).verdict).toBe('invalid');
  });
});

describe('no-stale-leases', () => {
  it('knows nothing of loose leases right after a fault, and rejects them later', () => {
    const loose = (resumedMs: number) => {
      const history = createHistory().at(100).registers('node1', '11').registers('node2', '12');
      pausedFor(history, 'node1', resumedMs - 5_000, resumedMs);
      const run = history.at(40_000).finalState().run();
      const more = ['77', '78', '79'];
      const state = run.history.map((event) =>
        event.type === 'final-state' ? { ...event, leases: [...event.leases, ...more] } : event,
      );
      return CHECKS['no-stale-leases']({ ...run, history: state }).verdict;
    };
    expect([loose(39_000), loose(20_000)]).toEqual(['unknown', 'invalid']);
  });
});

describe('moves', () => {
  it('takes it that the rig saw a commit late while etcd was disturbed', () => {
    const early = (disturb: (history: HistoryBuilder) => void) => {
      const { history, volume, term } = drainedRun();
      drains(history.at(30_000), 'node1');
      history.at(31_000).io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node2', volume: VOLUME_ID });
      disturb(history);
      moves(history, volume, { atMs: 33_000, term, to: 'node2', cause: 'drain' });
      return CHECKS.moves(history.run()).verdict;
    };
    expect(early(() => undefined)).toBe('invalid');
    expect(early((history) => pausedFor(history, 'etcd', 30_500, 33_200))).toBe('valid');
  });

  it('takes it that the rig saw a handover late while etcd was disturbed', () => {
    const early = (disturb: (history: HistoryBuilder) => void) => {
      const { history, volume, term } = drainedRun();
      drains(history.at(30_000), 'node1');
      moves(history, volume, { atMs: 33_000, term, to: 'node2', cause: 'drain' });
      history.at(31_000).log('node2', 'info', 'volume.exported', { volume: VOLUME_ID });
      disturb(history);
      // The grant was seen before the disturbance, and the old node went by its own clock.
      const run = history.run();
      const etcd = run.etcd.map((event) => (event.atMs === 33_000 ? { ...event, atMs: 30_100 } : event));
      const logs = run.logs.map((line) => (line.atMs === 33_200 ? { ...line, atMs: 30_900 } : line));
      return CHECKS.moves({ ...run, etcd, logs }).verdict;
    };
    expect(early(() => undefined)).toBe('invalid');
    expect(early((history) => pausedFor(history, 'etcd', 30_500, 33_200))).toBe('valid');
  });
});
