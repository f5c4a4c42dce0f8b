import { describe, expect, it } from '@jest/globals';
import { nodeKey } from '../../../../src/kv/keys.ts';
import { heartbeats } from '../../../../src/rig/checks/heartbeats.ts';
import { createHistory } from '../support/history.ts';

const registered = () => createHistory().at(100).registers('node1', '11').registers('node2', '12');

describe('heartbeats', () => {
  it('accepts agents that keep their lease', () => {
    const run = registered().at(9000).expectation({}).run();
    expect(heartbeats(run)).toMatchObject({
      verdict: 'valid',
      reason: expect.stringContaining('node1, node2'),
    });
  });

  it('rejects a key that vanishes', () => {
    const verdict = heartbeats(registered().at(4000).remove(nodeKey('node1')).run());
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: expect.stringContaining('lost its key') });
    expect(verdict.counterExample).toHaveLength(2);
  });

  it('rejects a change of the lease, and a key without one', () => {
    expect(heartbeats(registered().at(4000).registers('node1', '13').run()).reason).toMatch(
      /changed its lease/,
    );
    expect(heartbeats(registered().at(4000).put(nodeKey('node1'), {}).run()).reason).toMatch(
      /without a lease/,
    );
  });

  it('excuses a node whose container or agent was hit, and no other', () => {
    for (const role of ['agent', undefined]) {
      const faulted = registered().at(4000).fault('kill', 'node1', role).at(7000);
      expect(heartbeats(faulted.remove(nodeKey('node1')).run()).verdict).toBe('valid');
      expect(heartbeats(faulted.remove(nodeKey('node2')).run()).reason).toMatch(/^node2/);
    }
  });

  it('does not excuse an agent whose neighbour the engine was killed', () => {
    const history = registered().at(4000).fault('kill', 'node1', 'engine').at(7000);
    expect(heartbeats(history.remove(nodeKey('node1')).run()).verdict).toBe('invalid');
  });

  it('excuses everybody once etcd was hit, and nobody before', () => {
    const outage = registered().at(4000).fault('kill', 'etcd').at(6000).fault('start', 'etcd').at(9000);
    expect(heartbeats(outage.remove(nodeKey('node1')).run()).verdict).toBe('valid');
    const early = registered().at(3500).remove(nodeKey('node1')).at(4000).fault('kill', 'etcd');
    expect(heartbeats(early.run()).verdict).toBe('invalid');
  });

  it('judges nodes that registered with an etcd that was absent at first', () => {
    const history = createHistory().at(1000).fault('start', 'etcd').at(2000).registers('node1', '11');
    expect(heartbeats(history.at(4000).remove(nodeKey('node1')).run()).verdict).toBe('invalid');
  });

  it('knows nothing when no agent lived for longer than its lease', () => {
    expect(heartbeats(registered().at(3000).expectation({}).run()).verdict).toBe('unknown');
    expect(
      heartbeats(registered().at(2000).fault('kill', 'etcd').at(9000).expectation({}).run()).verdict,
    ).toBe('unknown');
  });
});
