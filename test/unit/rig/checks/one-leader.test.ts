import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY } from '../../../../src/kv/keys.ts';
import { oneLeader } from '../../../../src/rig/checks/one-leader.ts';
import { parseLogLines } from '../../../../src/rig/log-lines.ts';
import { createHistory, type HistoryBuilder } from '../support/history.ts';
import { calmRun, outageRun } from '../support/runs.ts';

const elected = () => {
  const history = createHistory();
  const term = history.at(1000).elects('node1', '21');
  return { history, term };
};

describe('one-leader', () => {
  it('accepts one leader after another', () => {
    const { history, term } = elected();
    history.at(5000).log('node1', 'info', 'engine.deposed', { term }).remove(LEADER_KEY);
    history.at(5010).elects('node2', '22');
    expect(oneLeader(history.run())).toMatchObject({
      verdict: 'valid',
      reason: expect.stringContaining('2 terms'),
    });
  });

  it('rejects a leader that is replaced while its key exists', () => {
    const { history } = elected();
    history.at(2000).elects('node2', '22');
    const verdict = oneLeader(history.run());
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: expect.stringContaining('replaced') });
    expect(verdict.counterExample).toHaveLength(2);
  });

  it('rejects a leader key without a lease', () => {
    const history = createHistory();
    history.put(LEADER_KEY, { node: 'node1', instance: 'i', since: '2026-01-01T00:00:00Z' });
    expect(oneLeader(history.run()).reason).toMatch(/no lease/);
  });

  it('rejects two engines that believe at the same time', () => {
    const { history, term } = elected();
    history.at(5000).remove(LEADER_KEY);
    history.at(5010).elects('node2', '22');
    history.at(5400).log('node1', 'info', 'engine.deposed', { term });
    const verdict = oneLeader(history.run());
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: expect.stringContaining('at the same time'),
    });
    expect(verdict.counterExample?.[0]).toMatch(/node1 is elected, term 2; believes until \+5\.400 s/);
  });

  it('takes a fault that may end whole containers for the end of an engine that was never heard of again', () => {
    const again = (on: string) => {
      const { history } = elected();
      const fault = { fault: 'out-of-memory', on } as const;
      const event = { type: 'nemesis', id: 'hit', fault, members: [on] } as const;
      history.record({ ...event, phase: 'inject', atMs: 4_000 });
      history.at(5000).remove(LEADER_KEY);
      const term = history.at(5010).elects('node2', '22');
      history.record({ ...event, phase: 'healed', atMs: 6_000 });
      history.at(8000).log('node2', 'info', 'engine.deposed', { term }).remove(LEADER_KEY);
      history.at(9000).elects('node1', '23');
      return oneLeader(history.run()).verdict;
    };
    expect([again('node1'), again('node3')]).toEqual(['valid', 'invalid']);
  });

  it('takes a kill for the end of an engine that was elected while it was on its way, and no earlier one', () => {
    const killed = (atMs: number, later = (_history: HistoryBuilder): unknown => undefined) => {
      const history = createHistory();
      history.at(atMs).fault('kill', 'node1');
      history.at(1000).elects('node1', '21');
      history.at(5000).remove(LEADER_KEY).elects('node2', '22');
      later(history);
      return oneLeader(history.run()).verdict;
    };
    // The engine that the node has next ends in the sight of its supervisor, and says nothing of the one before.
    const next = (history: HistoryBuilder) => {
      history.at(4000).log('node1', 'info', 'role.started', { role: 'engine' });
      history.at(9000).log('node1', 'info', 'role.exited', { role: 'engine' });
    };
    expect(killed(970, next)).toBe('valid');
    expect([killed(970), killed(900)]).toEqual(['valid', 'invalid']);
  });

  it('finds an overlap although a shorter belief lies between', () => {
    const { history, term } = elected();
    history.at(5000).remove(LEADER_KEY);
    const second = history.at(5100).elects('node2', '22');
    history.at(5200).log('node2', 'info', 'engine.deposed', { term: second }).remove(LEADER_KEY);
    history.at(5300).elects('node2', '23');
    history.at(9000).log('node1', 'info', 'engine.deposed', { term });
    expect(oneLeader(history.run()).verdict).toBe('invalid');
  });

  it('holds against each other two that believe while a third one is frozen', () => {
    const { history } = elected();
    history.at(2000).fault('pause', 'node1').at(5000).remove(LEADER_KEY);
    const second = history.at(5010).elects('node2', '22');
    history.at(20_000).remove(LEADER_KEY).at(20_010).elects('node3', '23');
    history.at(23_100).log('node2', 'info', 'engine.deposed', { term: second });
    history
      .at(30_000)
      .fault('resume', 'node1')
      .at(30_060)
      .log('node1', 'info', 'engine.deposed', { term: 2 });
    expect(oneLeader(history.run())).toMatchObject({
      verdict: 'invalid',
      counterExample: [expect.stringContaining('node2'), expect.stringContaining('node3')],
    });
  });

  it('knows nothing of a term of which its engine said nothing, unless a fault kept it from hearing of it', () => {
    const { history, term } = elected();
    history.at(5000).log('node1', 'info', 'engine.deposed', { term }).remove(LEADER_KEY);
    history
      .at(10_000)
      .put(LEADER_KEY, { node: 'node2', instance: 'i', since: '2026-01-01T00:00:00Z' }, { lease: '22' });
    history.at(20_000).expectation({});
    expect(oneLeader(history.run())).toMatchObject({
      verdict: 'unknown',
      reason: 'of 1 term no engine logged that it was elected',
    });
    history.at(9_500).fault('kill', 'node2', 'engine');
    expect(oneLeader(history.run()).verdict).toBe('valid');
  });

  it('takes a kill of the engine, or of its container, for the end of its belief', () => {
    for (const role of ['engine', undefined]) {
      const { history } = elected();
      history.at(3000).fault('kill', 'node1', role);
      history.at(6000).remove(LEADER_KEY).elects('node2', '22');
      expect(oneLeader(history.run()).verdict).toBe('valid');
    }
  });

  it('takes the end of the engine that its supervisor logs for the end of its belief', () => {
    const { history } = elected();
    history.at(6000).remove(LEADER_KEY).elects('node2', '22');
    const run = history.at(9000).expectation({}).run();
    // As node1's supervisor wrote it, three seconds into the run.
    const exited = (role: string) =>
      parseLogLines({
        container: 'node1',
        startedAtMs: Date.parse('2026-11-21T00:11:56.311Z'),
        text: `2026-11-21T00:11:59.311954159Z {"at":"2026-11-21T00:11:59.311Z","level":"info","event":"role.exited","node":"node1","role":"${role}","pid":58,"code":1,"signal":null}\n`,
      });
    const withLog = (role: string) => ({
      ...run,
      logs: [...run.logs, ...exited(role)].toSorted((a, b) => a.atMs - b.atMs),
    });
    expect(oneLeader(withLog('engine')).verdict).toBe('valid');
    expect(oneLeader(withLog('agent')).verdict).toBe('invalid');
  });

  it('does not take the kill of another role for it', () => {
    const { history } = elected();
    history.at(3000).fault('kill', 'node1', 'agent');
    history.at(6000).remove(LEADER_KEY).elects('node2', '22');
    expect(oneLeader(history.at(9000).expectation({}).run()).verdict).toBe('invalid');
  });

  it('does not count the time in which a former leader was paused', () => {
    const { history, term } = elected();
    history.at(3000).fault('pause', 'node1', 'engine');
    history.at(6000).remove(LEADER_KEY).elects('node2', '22');
    history.at(9000).fault('resume', 'node1', 'engine');
    history.at(9070).log('node1', 'info', 'engine.deposed', { term });
    expect(oneLeader(history.run()).verdict).toBe('valid');
  });

  it('rejects a resumed leader that goes on believing', () => {
    const { history, term } = elected();
    history.at(3000).fault('pause', 'node1');
    history.at(6000).remove(LEADER_KEY).elects('node2', '22');
    history.at(9000).fault('resume', 'node1');
    history.at(9900).log('node1', 'info', 'engine.deposed', { term });
    expect(oneLeader(history.run()).verdict).toBe('invalid');
  });

  it('rejects a belief that outlives its lease while etcd is away', () => {
    const { history, term } = elected();
    history.at(3000).fault('kill', 'etcd');
    history.at(6500).log('node1', 'info', 'engine.deposed', { term });
    history.at(9000).fault('start', 'etcd');
    const verdict = oneLeader(history.run());
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: expect.stringContaining('longer than its lease of 3000'),
    });
    expect(oneLeader(outageRun().history.run()).verdict).toBe('valid');
  });

  it('grants what a leader of etcd renews before it notices that it has lost the others', () => {
    const believing = (untilMs: number) => {
      const history = createHistory({ etcd: { members: 3 }, nodes: [{ name: 'node1' }] });
      const term = history.at(1_000).elects('node1', '21');
      history.at(3_000).fault('pause', 'etcd1').fault('pause', 'etcd2');
      history.at(untilMs).log('node1', 'info', 'engine.deposed', { term });
      history.at(12_000).fault('resume', 'etcd1').fault('resume', 'etcd2');
      return oneLeader(history.run());
    };
    expect(believing(7_900).verdict).toBe('valid');
    expect(believing(8_400)).toMatchObject({
      verdict: 'invalid',
      counterExample: expect.arrayContaining(['+8.300 s: one lease and 2250 ms later']),
    });
  });

  it('lets no two overlap by that: whoever leads etcd next counts every lease anew', () => {
    const history = createHistory({ etcd: { members: 3 }, nodes: [{ name: 'node1' }, { name: 'node2' }] });
    const term = history.at(1_000).elects('node1', '21');
    history.at(3_000).fault('pause', 'etcd1').at(3_500).fault('resume', 'etcd1');
    history.at(6_000).remove(LEADER_KEY).elects('node2', '22');
    history.at(7_000).log('node1', 'info', 'engine.deposed', { term });
    expect(oneLeader(history.at(9_000).expectation({}).run()).verdict).toBe('invalid');
  });

  it('rejects a belief that outlives the leader key, though etcd was there all the time', () => {
    const believing = (untilMs: number) => {
      const { history, term } = elected();
      history.at(5_000).remove(LEADER_KEY).at(untilMs).log('node1', 'info', 'engine.deposed', { term });
      return oneLeader(history.at(60_000).expectation({}).run());
    };
    expect(believing(7_900).verdict).toBe('valid');
    expect(believing(9_000)).toMatchObject({
      verdict: 'invalid',
      reason: expect.stringContaining('longer than its lease of 3000'),
    });
  });

  it('does not count the time in which one whose key has gone was paused', () => {
    const { history, term } = elected();
    history.at(5_000).remove(LEADER_KEY);
    history.at(5_100).fault('pause', 'node1').at(12_000).fault('resume', 'node1');
    history.at(12_100).log('node1', 'info', 'engine.deposed', { term });
    expect(oneLeader(history.run()).verdict).toBe('valid');
  });

  it('rejects a belief by a term that etcd never gave', () => {
    const { history } = elected();
    history.at(5_000).remove(LEADER_KEY).log('node1', 'info', 'engine.deposed', { term: 2 });
    history.at(5_100).log('node2', 'info', 'engine.elected', { term: 99 });
    history.at(5_200).log('node2', 'info', 'engine.deposed', { term: 99 });
    expect(oneLeader(history.run())).toMatchObject({
      verdict: 'invalid',
      reason: 'an engine believed that it leads by a term that etcd never gave',
    });
    expect(oneLeader(history.run({ etcdComplete: false })).verdict).toBe('valid');
  });

  it('excuses a belief when etcd came back before the lease was over', () => {
    const { history } = elected();
    history.at(3000).fault('kill', 'etcd').at(5000).fault('start', 'etcd').at(20_000).expectation({});
    expect(oneLeader(history.run()).verdict).toBe('valid');
  });

  it('knows nothing without an election, or without the engines words', () => {
    expect(oneLeader(createHistory().run()).verdict).toBe('unknown');
    expect(oneLeader({ ...calmRun().history.run(), logs: [] }).verdict).toBe('unknown');
  });
});
