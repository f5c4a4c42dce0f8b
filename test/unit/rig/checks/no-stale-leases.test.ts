import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY, specKey } from '../../../../src/kv/keys.ts';
import { noStaleLeases } from '../../../../src/rig/checks/no-stale-leases.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';
import { calmRun, outageRun, withHistory } from '../support/runs.ts';

const withLeases = (run: RecordedRun, ...more: readonly string[]) =>
  withHistory(run, (event) =>
    event.type === 'final-state' ? { ...event, leases: [...event.leases, ...more] } : event,
  );

describe('no-stale-leases', () => {
  it('accepts leases of live processes, before and after an outage', () => {
    expect(noStaleLeases(calmRun().history.run()).verdict).toBe('valid');
    expect(noStaleLeases(outageRun().history.run()).verdict).toBe('valid');
  });

  it('accepts the lease of an engine that waits, but no more', () => {
    expect(noStaleLeases(withLeases(calmRun().history.run(), '31')).verdict).toBe('valid');
    const verdict = noStaleLeases(withLeases(calmRun().history.run(), '31', '32'));
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: '2 leases with no key, but 1 engine waiting to lead',
    });
  });

  it('rejects a lease that its holder gave up long ago, though an engine might hold one that waits', () => {
    const ended = (atMs: number) =>
      calmRun()
        .history.at(atMs)
        .log('node2', 'info', 'kv.session.ended', { lease: '31', why: 'its time ran out' });
    expect(noStaleLeases(withLeases(ended(7_000).run(), '31'))).toMatchObject({
      verdict: 'invalid',
      reason: '1 lease kept alive after the holder gave it up',
      counterExample: ['+7.000 s: node2 says that its lease 31 has ended'],
    });
    // It has to have had its time, and once more.
    expect(noStaleLeases(withLeases(ended(9_000).run(), '31')).verdict).toBe('valid');
    expect(noStaleLeases(withLeases(ended(7_000).run(), '32')).verdict).toBe('valid');
  });

  it('does not know whose such a lease is while faults may have kept it from running out', () => {
    const { history } = calmRun();
    history.at(7_000).log('node2', 'info', 'kv.session.ended', { lease: '31', why: 'its time ran out' });
    history.at(12_000).fault('kill', 'etcd').at(14_000).fault('start', 'etcd');
    expect(noStaleLeases(withLeases(history.run(), '31')).verdict).toBe('unknown');
  });

  it('rejects a lease that hides behind a key which needs none', () => {
    const history = createHistory().registers('node1', '11').put(specKey('node1'), {}, { lease: '12' });
    expect(noStaleLeases(history.finalState().run())).toMatchObject({ verdict: 'invalid' });
  });

  it('rejects the key of a node that is long dead', () => {
    const history = createHistory()
      .registers('node1', '11')
      .at(4000)
      .fault('kill', 'node1')
      .at(12_000)
      .finalState();
    expect(noStaleLeases(history.run()).counterExample?.[0]).toMatch(/the agent of node1 is dead/);
  });

  it('rejects the leadership of an engine that is long dead', () => {
    const history = createHistory({ nodes: [{ name: 'node1', restart: { engine: 'never' } }] });
    history.elects('node1', '21');
    history.at(4000).fault('kill', 'node1', 'engine').at(12_000).finalState();
    expect(noStaleLeases(history.run()).counterExample?.[0]).toMatch(
      /the engine of node1, its holder, is dead/,
    );
  });

  it('does not take a role for dead that its supervisor may yet have to start, however slow the machine is', () => {
    const history = createHistory().registers('node1', '11').at(4000).fault('kill', 'node1', 'agent');
    // Four tasks a core: five seconds of work take twenty.
    history.at(20_000).machine(20_000, { runnable: 8 }).finalState();
    expect(noStaleLeases(history.run()).verdict).toBe('valid');
  });

  it('accepts what a process left that has only just died', () => {
    const history = createHistory()
      .registers('node1', '11')
      .at(4000)
      .fault('kill', 'node1')
      .at(6000)
      .finalState();
    expect(noStaleLeases(history.run()).verdict).toBe('valid');
  });

  it('rejects a leader key that names nobody', () => {
    const history = createHistory().put(LEADER_KEY, {}, { lease: '9' }).finalState();
    expect(noStaleLeases(history.run()).verdict).toBe('invalid');
  });

  it('knows nothing without a final state, or without a lease in it', () => {
    expect(noStaleLeases(createHistory().registers('node1', '11').run()).verdict).toBe('unknown');
    expect(noStaleLeases(createHistory().finalState().run()).verdict).toBe('unknown');
  });
});
