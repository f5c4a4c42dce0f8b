import { describe, expect, it } from '@jest/globals';
import { type Outage, outages } from '../../../../src/rig/checks/outages.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';

const threeMembers = () => createHistory({ etcd: { members: 3 }, nodes: [{ name: 'node1' }] });
const ofEtcd = (run: RecordedRun): readonly Outage[] =>
  outages(run).filter(({ container }) => container === 'etcd');

describe('outages of an etcd of three members', () => {
  it('has one from the moment that a second member goes until one is back', () => {
    const history = threeMembers().at(10_000).fault('kill', 'etcd1').at(20_000).fault('pause', 'etcd3');
    const run = history.at(30_000).fault('start', 'etcd1').at(40_000).fault('resume', 'etcd3').run();
    expect(ofEtcd(run).filter(({ certainFromMs }) => certainFromMs < Infinity)).toEqual([
      {
        container: 'etcd',
        role: undefined,
        kind: 'down',
        fromMs: 20_000,
        certainFromMs: 20_050,
        certainToMs: 30_000,
        toMs: 30_050,
      },
    ]);
  });

  it('leaves a slow machine more time for the votes of an election, and none for its timeouts', () => {
    const history = threeMembers().at(10_000).fault('kill', 'etcd2');
    const run = history.at(60_000).machine(60_000, { runnable: 8 }).run();
    expect(ofEtcd(run)).toMatchObject([{ fromMs: 10_000, toMs: 10_000 + 3_500 + 4 * 500 }]);
  });

  it('asks nothing of the loss of one, and excuses the election that may follow', () => {
    const run = threeMembers().at(10_000).fault('kill', 'etcd2').at(60_000).fault('start', 'etcd2').run();
    const [election, ...others] = ofEtcd(run);
    expect(others).toEqual([]);
    expect(election).toMatchObject({ fromMs: 10_000, toMs: 14_000, certainFromMs: Infinity });
    expect((election as Outage).certainFromMs).toBeGreaterThan((election as Outage).certainToMs);
  });

  it('does not count two faults of one member as two members', () => {
    const run = threeMembers().at(10_000).fault('pause', 'etcd2').at(20_000).fault('kill', 'etcd2').run();
    expect(ofEtcd(run).every(({ certainFromMs }) => certainFromMs === Infinity)).toBe(true);
    expect(ofEtcd(run).map(({ toMs }) => toMs)).toEqual([14_000, 24_000]);
  });

  it('goes on for ever when nobody comes back', () => {
    const run = threeMembers().at(10_000).fault('kill', 'etcd1').fault('kill', 'etcd2').run();
    expect(ofEtcd(run)).toContainEqual(expect.objectContaining({ toMs: Infinity, certainToMs: Infinity }));
  });

  it('leaves a single etcd as it is', () => {
    const run = createHistory().at(1000).fault('kill', 'etcd').at(4000).fault('start', 'etcd').run();
    expect(ofEtcd(run)).toHaveLength(1);
  });
});
