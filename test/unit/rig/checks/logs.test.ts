import { describe, expect, it } from '@jest/globals';
import { logs } from '../../../../src/rig/checks/logs.ts';
import type { NemesisEvent } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';

const heard = () =>
  createHistory().log('node1', 'info', 'daemon.started').log('node2', 'info', 'daemon.started');

describe('logs', () => {
  it('accepts calm logs, and whatever other containers say', () => {
    const history = heard().at(5000).log('node1', 'warn', 'etcd.unreachable').log('etcd', 'error', 'text');
    expect(logs(history.run()).verdict).toBe('valid');
  });

  it.each(['uncaughtException', 'supervisor.unhandledRejection', 'role.uncaught_exception'])(
    'rejects %s, whatever was done to the node',
    (event) => {
      const verdict = logs(
        heard().at(1000).fault('kill', 'etcd').at(2000).log('node1', 'error', event).run(),
      );
      expect(verdict).toMatchObject({ verdict: 'invalid', reason: 'node1 crashed' });
    },
  );

  it('rejects what Node.js prints when it dies', () => {
    const text = "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/x'";
    expect(logs(heard().log('node2', 'info', 'text', { text }).run()).verdict).toBe('invalid');
  });

  it('rejects an error without a fault, or before it, or long after it', () => {
    expect(logs(heard().at(5000).log('node1', 'error', 'agent.failed').run()).reason).toMatch(
      /agent\.failed/,
    );
    const faulted = () => heard().at(10_000).fault('kill', 'node1').at(12_000).fault('start', 'node1');
    expect(logs(faulted().at(9000).log('node1', 'error', 'agent.failed').run()).verdict).toBe('invalid');
    expect(logs(faulted().at(60_000).log('node1', 'error', 'agent.failed').run()).verdict).toBe('invalid');
    expect(logs(faulted().at(14_000).log('node1', 'error', 'agent.failed').run()).verdict).toBe('valid');
  });

  it('explains errors of a node by faults on it, and of all nodes by faults on etcd', () => {
    const node = heard().at(10_000).fault('pause', 'node1').at(11_000).log('node2', 'error', 'agent.failed');
    expect(logs(node.run()).verdict).toBe('invalid');
    const etcd = heard().at(10_000).fault('stop', 'etcd').at(11_000).log('node2', 'error', 'agent.failed');
    expect(logs(etcd.run()).verdict).toBe('valid');
  });

  it('explains what failed between two nodes by a fault on either, and on no third one', () => {
    const faulted = (member: string) =>
      heard()
        .at(10_000)
        .fault('pause', member)
        .at(11_000)
        .log('node1', 'error', 'move.failed', { to: 'node2' });
    expect(logs(faulted('node2').run()).verdict).toBe('valid');
    expect(logs(faulted('node1').run()).verdict).toBe('valid');
    expect(logs(faulted('node3').run()).verdict).toBe('invalid');
  });

  it('explains a mount that timed out by the slow disk of whichever node, and nothing else by it', () => {
    const slow = { fault: 'disk-slow', on: 'node1', kbitPerSecond: 8_000 } as const;
    const phase = (of: NemesisEvent['phase'], atMs: number, fault: NemesisEvent['fault']): NemesisEvent => ({
      ...{ type: 'nemesis', id: 'a', members: ['node1'] },
      ...{ phase: of, fault, atMs },
    });
    const verdictOf = (cause: string, atMs = 11_000, fault: NemesisEvent['fault'] = slow) => {
      const run = heard().at(atMs).log('node2', 'error', 'volume.work-failed', { cause }).run();
      const faults = [phase('inject', 10_000, fault), phase('healed', 12_000, fault)];
      return logs({ ...run, history: [...run.history, ...faults] }).verdict;
    };
    const mount = 'RigError [timeout]: mount -t btrfs -o noatime /dev/loop2 /run/v: no end within 5000 ms';
    expect(verdictOf(mount)).toBe('valid');
    expect(verdictOf(mount, 9_000)).toBe('invalid');
    expect(verdictOf(mount, 60_000)).toBe('invalid');
    expect(verdictOf(mount, 11_000, { fault: 'disk-full', on: 'node1' })).toBe('invalid');
    expect(verdictOf('RigError [io]: mount -t btrfs /dev/loop2 /run/v: wrong fs type')).toBe('invalid');
    expect(verdictOf('RigError [timeout]: btrfs subvolume create /a: no end within 5000 ms')).toBe('invalid');
  });

  it('explains by no fault that an API had no answer but 500', () => {
    const history = heard().at(4_000).fault('kill', 'etcd').at(5_000);
    history.log('node1', 'error', 'api.failed', { method: 'GET', path: '/volumes' });
    expect(logs(history.run())).toMatchObject({
      verdict: 'invalid',
      reason: 'node1 logged an error that no fault may bring about: api.failed',
    });
  });

  it('explains errors by an etcd that was absent at first', () => {
    const history = heard().at(200).log('node1', 'error', 'etcd.unreachable').at(4000).fault('start', 'etcd');
    expect(logs(history.run()).verdict).toBe('valid');
  });

  describe('the end of a role', () => {
    const exited = (role: string, more: object = { code: 1, signal: null }) => ({ role, pid: 57, ...more });

    it('rejects a role that crashes in a loop and is restarted each time', () => {
      const history = heard();
      for (const atMs of [5000, 6000, 7000])
        history.at(atMs).log('node1', 'info', 'role.exited', exited('api'));
      const verdict = logs(history.run());
      expect(verdict).toMatchObject({
        verdict: 'invalid',
        reason: "3 ends of node1's api that no fault explains",
      });
      expect(verdict.counterExample).toHaveLength(3);
    });

    it('rejects an end that looks clean, or that an outage of etcd brought about', () => {
      const clean = heard()
        .at(5000)
        .log('node2', 'info', 'role.exited', exited('engine', { code: 0 }));
      expect(logs(clean.run()).verdict).toBe('invalid');
      const history = heard().at(4000).fault('kill', 'etcd').at(5000);
      expect(logs(history.log('node2', 'info', 'role.exited', exited('engine')).run()).verdict).toBe(
        'invalid',
      );
    });

    it.each(['kill', 'stop'])('explains one end by a %s of the role, and not a second', (fault) => {
      const history = heard().at(5000).fault(fault, 'node1', 'engine').at(5040);
      history.log('node1', 'info', 'role.exited', exited('engine', { code: null, signal: 'SIGKILL' }));
      expect(logs(history.run()).verdict).toBe('valid');
      history.at(5900).log('node1', 'info', 'role.exited', exited('engine'));
      expect(logs(history.run()).reason).toMatch(/^1 end of node1's engine/);
    });

    it('explains the end of every role by a stop of the node, and of none by a fault on another', () => {
      const stopped = heard().at(5000).fault('stop', 'node1').at(5045);
      for (const role of ['api', 'engine', 'agent'])
        stopped.log('node1', 'info', 'role.exited', exited(role, { code: 0 }));
      expect(logs(stopped.run()).verdict).toBe('valid');
      const other = heard().at(5000).fault('kill', 'node1', 'agent').at(5040);
      expect(logs(other.log('node1', 'info', 'role.exited', exited('engine')).run()).verdict).toBe('invalid');
      const paused = heard().at(5000).fault('pause', 'node1').at(5040);
      expect(logs(paused.log('node1', 'info', 'role.exited', exited('api')).run()).verdict).toBe('invalid');
    });

    it('explains a crash by the error of a failpoint that was on at its node, and by no other', () => {
      const crash = (node: string, place: string, atMs = 5_000) => {
        const fault = {
          fault: 'failpoint',
          on: 'node1',
          failpoints: 'engine/before-transact=error',
        } as const;
        const run = heard()
          .at(atMs)
          .log(node, 'error', 'role.crashed', { role: 'engine', cause: `RigError [io]: failpoint ${place}` })
          .run();
        const phase = (of: NemesisEvent['phase'], when: number): NemesisEvent => ({
          ...{ type: 'nemesis', id: 'a', members: ['node1'] },
          ...{ phase: of, fault, atMs: when },
        });
        const history = [...run.history, phase('inject', 4_000), phase('healed', 6_000)];
        return logs({ ...run, history }).verdict;
      };
      expect(crash('node1', 'engine/before-transact')).toBe('valid');
      expect(crash('node2', 'engine/before-transact')).toBe('invalid');
      expect(crash('node1', 'engine/after-transact')).toBe('invalid');
      expect(crash('node1', 'engine/before-transact', 9_000)).toBe('invalid');
    });

    it('rejects a role that says itself that it crashed, whatever was done to etcd', () => {
      const history = heard().at(4000).fault('kill', 'etcd').at(5000).log('node1', 'error', 'role.crashed');
      expect(logs(history.run()).reason).toBe('node1 crashed');
    });
  });

  it('knows nothing of a node that said nothing of its own', () => {
    const history = createHistory()
      .log('node1', 'info', 'x')
      .log('node2', 'info', 'text', { text: 'ganesha' });
    expect(logs(history.run())).toMatchObject({ verdict: 'unknown', reason: 'no log line of node2' });
  });
});
