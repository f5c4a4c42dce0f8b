import { describe, expect, it } from '@jest/globals';
import type { ExportRule } from '../../../../src/model/export.ts';
import { access } from '../../../../src/rig/checks/access.ts';
import { actualOf } from '../../model/volumes.ts';
import { createHistory } from '../support/history.ts';
import { calmRun } from '../support/runs.ts';

const rule = (host: string, level: 'rw' | 'ro' = 'rw'): ExportRule => ({
  host,
  access: level,
  squash: 'none',
});

/** A volume on node2, exported to these hosts since the beginning; `change` commits and applies others. */
const exportedTo = (...rules: readonly ExportRule[]) => {
  const history = createHistory();
  const { volume } = calmRun();
  const change = (atMs: number, wanted: readonly ExportRule[], applied = wanted) => {
    const actual = actualOf({ reserved_size: 2, exports: [...applied] });
    history.at(atMs).write({ ...volume, exports: [...wanted], actual });
  };
  change(0, rules);
  return { history, change };
};

const read = (consumer: string, outcome: 'ok' | 'refused' = 'ok') =>
  ({ kind: 'nfs-read', consumer, outcome }) as const;
const write = (consumer: string, outcome: 'ok' | 'refused' | 'cut' = 'ok') =>
  ({ kind: 'nfs-write', consumer, outcome }) as const;

describe('access', () => {
  it('accepts what etcd allows, and refusals of the rest', () => {
    const { history } = exportedTo(rule('10.0.0.11', 'ro'));
    history.at(5000).io(read('consumer1')).at(5100).io(write('consumer1', 'refused')).at(5200);
    expect(access(history.io(read('consumer2', 'refused')).run()).verdict).toBe('valid');
  });

  it('rejects a consumer that was let in though nobody ever allowed it', () => {
    const { history } = exportedTo(rule('10.0.0.11'));
    const verdict = access(history.at(5000).io(read('consumer2')).run());
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: 'consumer2 was let in though etcd never allowed it',
    });
    expect(verdict.counterExample?.[1]).toMatch(/is exported to 10\.0\.0\.11 rw/);
  });

  it('rejects a write of a read-only consumer', () => {
    expect(
      access(exportedTo(rule('10.0.0.11', 'ro')).history.at(5000).io(write('consumer1')).run()).verdict,
    ).toBe('invalid');
  });

  it('gives a revocation two seconds, and no more', () => {
    for (const [atMs, verdict] of [
      [11_900, 'valid'],
      [12_100, 'invalid'],
    ] as const) {
      const { history, change } = exportedTo(rule('10.0.0.11'));
      change(10_000, [rule('10.0.0.12')]);
      expect(access(history.at(atMs).io(read('consumer1')).run()).verdict).toBe(verdict);
    }
  });

  it('does not count the time in which a fault kept the agent from revoking', () => {
    const { history, change } = exportedTo(rule('10.0.0.11'));
    change(10_000, []);
    history.at(10_100).fault('pause', 'node2', 'agent').at(20_000).fault('resume', 'node2', 'agent');
    expect(access(history.at(20_500).io(read('consumer1')).run()).verdict).toBe('valid');
    expect(access(history.at(60_000).io(read('consumer1')).run()).verdict).toBe('invalid');
  });

  it('lets in whom a commit allowed that the rig saw a little late', () => {
    const { history, change } = exportedTo();
    history.at(9990).io(read('consumer1'));
    change(10_010, [rule('10.0.0.0/24')]);
    expect(access(history.run()).verdict).toBe('valid');
  });

  it('lets in whom a commit allowed that the rig saw late because etcd was disturbed', () => {
    const { history, change } = exportedTo();
    history.at(9_990).io(read('consumer1'));
    history.at(9_500).fault('pause', 'etcd').at(14_900).fault('resume', 'etcd');
    change(15_000, [rule('10.0.0.11')]);
    expect(access(history.run()).verdict).toBe('valid');
  });

  it('goes by the narrowest of the rules that hold an address', () => {
    const rules = [rule('10.0.0.0/8'), rule('10.0.0.11', 'ro'), rule('10.0.0.0/24', 'ro'), rule('10.0.0.12')];
    const judged = (call: Parameters<ReturnType<typeof createHistory>['io']>[0]) =>
      access(
        exportedTo(...rules)
          .history.at(5_000)
          .io(call)
          .run(),
      ).verdict;
    expect([judged(write('consumer1')), judged(write('consumer1', 'refused'))]).toEqual(['invalid', 'valid']);
    expect([judged(write('consumer2')), judged(write('consumer2', 'refused'))]).toEqual(['valid', 'invalid']);
  });

  it('knows nothing of grants that it may not have seen', () => {
    const { history } = exportedTo();
    history.at(5_000).io(read('consumer1'));
    expect(access(history.run()).verdict).toBe('invalid');
    expect(access(history.run({ etcdComplete: false })).verdict).toBe('unknown');
  });

  it('accepts a refusal by a commit that the rig saw a little late, or late because etcd was disturbed', () => {
    const refusedBefore = (seenMs: number, isDisturbed = false) => {
      const { history, change } = exportedTo(rule('10.0.0.11'));
      history.at(20_000).io(read('consumer1', 'refused'));
      if (isDisturbed)
        history
          .at(20_100)
          .fault('pause', 'etcd')
          .at(seenMs - 100)
          .fault('resume', 'etcd');
      change(seenMs, []);
      return access(history.run()).verdict;
    };
    expect([refusedBefore(20_030), refusedBefore(25_000), refusedBefore(25_000, true)]).toEqual([
      'valid',
      'invalid',
      'valid',
    ]);
  });

  it('rejects a refusal of what was applied long ago', () => {
    const { history } = exportedTo(rule('10.0.0.11'));
    const verdict = access(history.at(5000).io(write('consumer1', 'refused')).run());
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: 'consumer1 was refused what etcd allows it',
    });
  });

  it('judges a refusal in the middle of a write', () => {
    const granted = exportedTo(rule('10.0.0.11')).history.at(5000).io(write('consumer1', 'cut'));
    expect(access(granted.at(90_000).expectation({}).run()).reason).toBe(
      'consumer1 was refused what etcd allows it',
    );
    const { history, change } = exportedTo(rule('10.0.0.11'));
    change(4000, []);
    history.at(5000).io(write('consumer1', 'cut'));
    change(8000, [rule('10.0.0.11')]);
    expect(access(history.run()).verdict).toBe('valid');
  });

  it('does not take an outage of etcd or of the agent for an excuse to refuse', () => {
    for (const [container, role] of [['etcd'], ['node2', 'agent']] as const) {
      const { history } = exportedTo(rule('10.0.0.11'));
      history.at(5000).fault('kill', container, role).at(6000).io(read('consumer1', 'refused'));
      expect(access(history.run()).verdict).toBe('invalid');
    }
  });

  it('excuses a refusal by a node that was down, or had not applied the rule', () => {
    const down = exportedTo(rule('10.0.0.11'));
    down.history.at(5000).fault('kill', 'node2').at(8000).fault('start', 'node2').at(9000);
    expect(access(down.history.io(read('consumer1', 'refused')).run()).verdict).toBe('valid');
    const late = exportedTo();
    late.change(5000, [rule('10.0.0.11')], []);
    expect(access(late.history.at(9000).io(read('consumer1', 'refused')).run()).verdict).toBe('valid');
  });

  it('knows nothing without calls, or of consumers whose address it does not know', () => {
    expect(access(exportedTo(rule('10.0.0.11')).history.run()).verdict).toBe('unknown');
    const { history } = exportedTo(rule('10.0.0.11'));
    const run = history.at(5000).io(read('consumer1')).run({ consumers: {} });
    expect(access(run)).toMatchObject({ verdict: 'unknown', reason: expect.stringContaining('consumer1') });
  });
});
