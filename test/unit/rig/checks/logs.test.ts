import { describe, expect, it } from '@jest/globals';
import { logs } from '../../../../src/rig/checks/logs.ts';
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

  it('explains errors by an etcd that was absent at first', () => {
    const history = heard().at(200).log('node1', 'error', 'etcd.unreachable').at(4000).fault('start', 'etcd');
    expect(logs(history.run()).verdict).toBe('valid');
  });

  it('knows nothing of a node that said nothing of its own', () => {
    const history = createHistory()
      .log('node1', 'info', 'x')
      .log('node2', 'info', 'text', { text: 'ganesha' });
    expect(logs(history.run())).toMatchObject({ verdict: 'unknown', reason: 'no log line of node2' });
  });
});
