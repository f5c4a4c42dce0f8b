import { describe, expect, it } from '@jest/globals';
import { trafficUninterrupted } from '../../../../src/rig/checks/traffic-uninterrupted.ts';
import { createHistory, type HistoryBuilder } from '../support/history.ts';
import { withHistory } from '../support/runs.ts';

const WRITE = { kind: 'nfs-write', consumer: 'consumer1', process: 'traffic1' } as const;

const every = (history: HistoryBuilder, stepMs: number, fromMs: number, toMs: number) => {
  for (let atMs = fromMs; atMs < toMs; atMs += stepMs) history.at(atMs).io({ ...WRITE, file: `f${atMs}` });
};

/** etcd is away from 10.05 s to 20 s; the calls are made before and after, and while `during` says. */
const outage = (during: (history: HistoryBuilder) => void) => {
  const history = createHistory();
  every(history, 500, 6_000, 10_000);
  history.at(10_000).fault('kill', 'etcd');
  during(history);
  history.at(20_000).fault('start', 'etcd');
  every(history, 500, 20_100, 24_000);
  return history;
};

describe('traffic-uninterrupted', () => {
  it('accepts clients that work on while etcd is away', () => {
    const history = outage((during) => every(during, 500, 10_000, 20_000));
    expect(trafficUninterrupted(history.run())).toMatchObject({
      verdict: 'valid',
      reason: expect.stringContaining('19 calls succeeded while etcd was away'),
    });
  });

  it.each(['fail', 'info', 'refused'] as const)(
    'rejects a run whose every call during the outage is %s',
    (outcome) => {
      const run = outage((during) => every(during, 500, 10_000, 20_000)).run();
      const broken = withHistory(run, (event) => {
        if (event.type !== 'call' || event.phase !== 'ok' || event.atMs < 10_050 || event.atMs > 20_000)
          return event;
        return { ...event, phase: outcome === 'info' ? 'info' : 'fail', refused: outcome === 'refused' };
      });
      expect(trafficUninterrupted(broken)).toMatchObject({
        verdict: 'invalid',
        counterExample: [expect.stringContaining('etcd is away'), expect.stringContaining('nfs-write of f')],
      });
    },
  );

  it('takes an etcd whose members are all frozen for one that is away', () => {
    const frozen = (outcome: 'ok' | 'info') => {
      const history = createHistory({
        nodes: [{ name: 'node1' }],
        consumers: ['consumer1'],
        etcd: { members: 3 },
      });
      every(history, 500, 6_000, 10_000);
      for (const member of ['etcd1', 'etcd2', 'etcd3']) history.at(10_000).fault('pause', member);
      every(history, 500, 10_000, 15_000);
      history.at(15_100).io({ ...WRITE, file: 'one', outcome });
      every(history, 500, 15_500, 20_000);
      for (const member of ['etcd1', 'etcd2', 'etcd3']) history.at(20_000).fault('resume', member);
      every(history, 500, 20_100, 24_000);
      return trafficUninterrupted(history.run()).verdict;
    };
    expect(frozen('ok')).toBe('valid');
    expect(frozen('info')).toBe('invalid');
  });

  it('rejects one call that fails, and one that was open when etcd went', () => {
    for (const atMs of [9_900, 15_100]) {
      const history = outage((during) => every(during, 500, 10_000, 20_000));
      const run = history
        .at(atMs)
        .io({ ...WRITE, file: 'bad', outcome: 'info', tookMs: 300 })
        .run();
      expect(trafficUninterrupted(run).verdict).toBe('invalid');
    }
  });

  it('rejects clients that hang, at first, in between or until etcd is back', () => {
    for (const [fromMs, toMs] of [
      [10_000, 13_200],
      [14_000, 17_600],
      [16_500, 20_000],
    ] as const) {
      const history = outage((during) => {
        every(during, 500, 10_000, fromMs);
        every(during, 500, toMs, 20_000);
      });
      expect(trafficUninterrupted(history.run()).reason).toMatch(/no progress for longer than 3000 ms/);
    }
    const hung = outage((during) => during.at(10_100).io({ ...WRITE, tookMs: 9_990 }));
    expect(trafficUninterrupted(hung.run()).verdict).toBe('invalid');
  });

  it('does not take a call for one of the outage of which nobody knew long before how it had ended', () => {
    const history = outage((during) => every(during, 500, 10_000, 20_000));
    history.at(6_100).io({ ...WRITE, file: 'early', outcome: 'info', tookMs: 300 });
    expect(trafficUninterrupted(history.run()).verdict).toBe('valid');
  });

  it('does not take the polling of a script for traffic that must never pause', () => {
    const history = outage((during) => every(during, 500, 10_000, 20_000));
    for (const atMs of [1_000, 1_100, 1_200, 1_300, 16_000])
      history.at(atMs).io({ kind: 'nfs-read', consumer: 'consumer2', process: 'consumer2 read before' });
    expect(trafficUninterrupted(history.run()).verdict).toBe('valid');
  });

  it('accepts traffic that begins late or ends a little early', () => {
    const history = createHistory().at(10_000).fault('stop', 'etcd');
    every(history, 500, 14_000, 18_000);
    expect(trafficUninterrupted(history.at(20_000).fault('start', 'etcd').run()).verdict).toBe('valid');
  });

  it('does not take it from a slow machine that clients would have gone on', () => {
    const verdictOf = (during: (history: HistoryBuilder) => void) =>
      trafficUninterrupted(
        withHistory(outage(during).run(), (event) =>
          event.type === 'machine' ? { ...event, runnable: 4 } : event,
        ),
      );
    const until = (toMs: number) => (during: HistoryBuilder) => every(during, 500, 10_000, toMs);
    expect(verdictOf(until(20_000)).verdict).toBe('valid');
    expect(verdictOf(until(12_000))).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('traffic1 completed no call from +11.505 s on'),
    });
    const again = (during: HistoryBuilder) => every(during, 500, 18_000, 20_000);
    expect(verdictOf((during) => void [until(12_000), again].map((step) => step(during))).verdict).toBe(
      'valid',
    );
    const givenUp = verdictOf((during) => {
      until(12_000)(during);
      during.at(12_000).io({ ...WRITE, file: 'x', outcome: 'info', tookMs: 5_000 });
      again(during);
    });
    expect(givenUp).toMatchObject({ verdict: 'unknown', reason: expect.stringContaining('ends in info') });
  });

  it('knows nothing of a client that falls silent for good', () => {
    const history = createHistory().at(10_000).fault('stop', 'etcd');
    every(history, 500, 10_100, 14_000);
    expect(trafficUninterrupted(history.at(20_000).fault('start', 'etcd').run())).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('traffic1 completed no call from +13.605 s on'),
    });
  });

  it('knows nothing without an outage, or without traffic in it', () => {
    const calm = createHistory();
    every(calm, 500, 1_000, 9_000);
    expect(trafficUninterrupted(calm.run()).reason).toBe('etcd was never seen to be away');
    const idle = createHistory().at(10_000).fault('kill', 'etcd').at(15_000).io(WRITE).at(20_000);
    expect(trafficUninterrupted(idle.fault('start', 'etcd').run()).verdict).toBe('unknown');
    const over = createHistory();
    every(over, 500, 1_000, 9_000);
    over.at(10_000).fault('kill', 'etcd').at(20_000).fault('start', 'etcd');
    expect(trafficUninterrupted(over.run()).verdict).toBe('unknown');
  });
});
