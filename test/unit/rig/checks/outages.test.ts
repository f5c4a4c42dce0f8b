import { describe, expect, it } from '@jest/globals';
import { disturbed, outages } from '../../../../src/rig/checks/outages.ts';
import { undisturbedMs } from '../../../../src/rig/checks/spans.ts';
import { createHistory } from '../support/history.ts';

const span = (fromMs: number, toMs: number) => ({ fromMs, toMs });

describe('outages', () => {
  it('pairs what takes down with what brings back', () => {
    const run = createHistory().at(1000).fault('kill', 'node1').at(4000).fault('start', 'node1').run();
    expect(outages(run)).toEqual([
      {
        container: 'node1',
        role: undefined,
        kind: 'down',
        fromMs: 1000,
        certainFromMs: 1050,
        certainToMs: 4000,
        toMs: 4050,
      },
    ]);
  });

  it('knows what was absent from the beginning', () => {
    const run = createHistory().at(4000).fault('start', 'etcd').run();
    expect(outages(run)).toMatchObject([{ container: 'etcd', fromMs: 0, certainFromMs: 0, toMs: 4050 }]);
  });

  it('knows of a node that was to join later when it did, or that it never did', () => {
    const topology = { nodes: [{ name: 'node1' }, { name: 'node2', starts: 'later' as const }] };
    const joined = createHistory(topology).at(4000).fault('start', 'node2').run();
    expect(outages(joined)).toMatchObject([{ container: 'node2', fromMs: 0, toMs: 4050 }]);
    const absent = createHistory(topology).run();
    expect(outages(absent)).toMatchObject([
      { container: 'node2', fromMs: 0, certainFromMs: 0, toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('takes nobody for absent from the beginning whom a fault ended before it was healed by a start', () => {
    const history = createHistory();
    const fault = { fault: 'out-of-memory', on: 'node2' } as const;
    const hit = { type: 'nemesis', id: 'a', fault, members: ['node2'] } as const;
    history
      .record({ ...hit, phase: 'inject', atMs: 20_000 })
      .at(21_500)
      .fault('start', 'node2');
    history.record({ ...hit, phase: 'healed', atMs: 25_000 });
    expect(outages(history.run())).toMatchObject([{ kind: 'impaired', fromMs: 20_000, toMs: 25_000 }]);
  });

  it('ends a pause when it was seen to be gone, though the frozen process was never resumed', () => {
    const history = createHistory();
    const fault = { fault: 'pause', on: 'node1', role: 'agent' } as const;
    const hit = { type: 'nemesis', id: 'a', fault, members: ['node1'] } as const;
    history
      .record({ ...hit, phase: 'inject', atMs: 1_000 })
      .at(1_000)
      .fault('pause', 'node1', 'agent');
    history.record({ ...hit, phase: 'healed', atMs: 4_000 });
    expect(outages(history.run())).toMatchObject([{ kind: 'paused', fromMs: 1_000, toMs: 4_000 }]);
  });

  it('leaves open what was never brought back', () => {
    const [outage] = outages(createHistory().at(1000).fault('pause', 'node1').run());
    expect(outage).toMatchObject({ kind: 'paused', toMs: Number.POSITIVE_INFINITY });
  });

  it('expects a role to be restarted by its supervisor, if it is told to', () => {
    const always = createHistory().at(1000).fault('kill', 'node1', 'engine').run();
    expect(outages(always)).toMatchObject([{ role: 'engine', toMs: 6000 }]);
    const never = createHistory({ nodes: [{ name: 'node1', restart: { engine: 'never' } }] });
    expect(outages(never.at(1000).fault('kill', 'node1', 'engine').run())).toMatchObject([
      { role: 'engine', toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('gives a role more time to be restarted where the machine is slow', () => {
    const history = createHistory().at(1000).fault('kill', 'node1', 'engine');
    const run = history.at(60_000).machine(60_000, { runnable: 4 }).run();
    expect(outages(run)).toMatchObject([{ role: 'engine', toMs: 11_000 }]);
  });

  it('ends a pause of one role without touching another', () => {
    const history = createHistory()
      .at(1000)
      .fault('pause', 'node1', 'engine')
      .at(2000)
      .fault('pause', 'node1', 'agent');
    expect(outages(history.at(3000).fault('resume', 'node1', 'engine').run())).toMatchObject([
      { role: 'engine', toMs: 3050 },
      { role: 'agent', toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('takes a restart for an outage of its own length', () => {
    expect(outages(createHistory().at(1000).fault('restart', 'node1').run())).toMatchObject([
      { fromMs: 1000, toMs: 1050 },
    ]);
  });

  it('measures what is left of a span', () => {
    const history = createHistory().at(1000).fault('kill', 'node1').at(1950).fault('start', 'node1');
    const all = outages(history.at(1500).fault('kill', 'node2').at(2950).fault('start', 'node2').run());
    expect(undisturbedMs(span(0, 5000), all)).toBe(3000);
    expect(undisturbedMs(span(1200, 1800), all)).toBe(0);
    expect(undisturbedMs(span(0, 500), all)).toBe(500);
    expect(disturbed(span(2990, 4000), all)).toBe(true);
    expect(disturbed(span(3001, 4000), all)).toBe(false);
  });
});
