import { describe, expect, it } from '@jest/globals';
import { completeHistory } from '../../../../src/rig/checks/complete-history.ts';
import { createHistory } from '../support/history.ts';
import { calmRun, withEtcd, withHistory } from '../support/runs.ts';

describe('complete-history', () => {
  it('accepts a whole record', () => {
    expect(completeHistory(calmRun().history.run()).verdict).toBe('valid');
  });

  it('does not accept any run from which one etcd event is missing', () => {
    const run = calmRun().history.run();
    for (const missing of run.etcd) {
      const verdict = completeHistory(withEtcd(run, (event) => (event === missing ? undefined : event)));
      expect(verdict).toMatchObject({
        verdict: 'unknown',
        reason: `revision ${missing.revision} of etcd was not seen`,
      });
    }
  });

  it('does not accept a value that is not the one that etcd had at the end', () => {
    const run = withEtcd(calmRun().history.run(), (event) =>
      event.key.includes('/specs/node1') ? { ...event, value: '{}' } : event,
    );
    expect(completeHistory(run).reason).toMatch(/don't lead to the final state: .*specs\/node1/);
  });

  it('does not accept a recorder that lost track, or events out of order', () => {
    expect(completeHistory(calmRun().history.run({ etcdComplete: false })).verdict).toBe('unknown');
    const run = calmRun().history.run();
    expect(completeHistory({ ...run, etcd: run.etcd.toReversed() }).reason).toMatch(/out of order/);
  });

  it('does not accept a call without an end', () => {
    const { history } = calmRun();
    const run = history.at(14_000).io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'pending' }).run();
    expect(completeHistory(run)).toMatchObject({ verdict: 'unknown', reason: '1 call without an end' });
  });

  it('does not accept an end without a call', () => {
    let dropped = false;
    const run = withHistory(calmRun().history.run(), (event) => {
      const drop = !dropped && event.type === 'call' && event.phase === 'invoke';
      dropped ||= drop;
      return drop ? undefined : event;
    });
    expect(completeHistory(run).verdict).toBe('unknown');
  });

  it('rejects an etcd whose members tell different things of one revision', () => {
    const told = [
      { member: 'etcd1', events: ['put /cobalt/v1/x'] },
      { member: 'etcd3', events: [] },
    ] as const;
    const { history } = calmRun();
    const verdict = completeHistory(
      history.record({ type: 'disagreement', atMs: 9_000, revision: 5, told }).run(),
    );
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: 'etcd1 and etcd3 tell different things of revision 5 of etcd',
      counterExample: ['+9.000 s: etcd1: put /cobalt/v1/x', '+9.000 s: etcd3: nothing'],
    });
  });

  it('does not accept an interrupted or an empty run', () => {
    const interrupted = withHistory(calmRun().history.run(), (event) =>
      event.type === 'final-state' ? undefined : event,
    );
    expect(completeHistory(interrupted).reason).toMatch(/final state/);
    expect(completeHistory(createHistory().run()).verdict).toBe('unknown');
  });
});
