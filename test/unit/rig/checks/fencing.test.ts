import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY, volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { fencing } from '../../../../src/rig/checks/fencing.ts';
import { by, createHistory, VOLUME_ID } from '../support/history.ts';
import { calmRun, ORDER, withEtcd, withVolume } from '../support/runs.ts';

const ordered = (history: ReturnType<typeof createHistory>) =>
  history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));

describe('fencing', () => {
  it('accepts writes of the leader of the term', () => {
    expect(fencing(calmRun().history.run())).toMatchObject({
      verdict: 'valid',
      reason: expect.stringContaining('2 writes'),
    });
  });

  it('rejects a write of a deposed engine after another was elected', () => {
    const history = createHistory();
    const term = history.elects('node1', '21');
    const volume = ordered(history);
    history.at(4000).remove(LEADER_KEY).elects('node2', '22');
    history.at(4100).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
    const verdict = fencing(history.run());
    expect(verdict.verdict).toBe('invalid');
    expect(verdict.counterExample).toEqual([
      expect.stringContaining('node2 is elected, term 5'),
      expect.stringContaining('by engine@node1 of term 2'),
    ]);
  });

  it('rejects a write while nobody leads', () => {
    const history = createHistory();
    const term = history.elects('node1', '21');
    const volume = ordered(history);
    history.remove(LEADER_KEY).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
    expect(fencing(history.run()).counterExample?.[0]).toMatch(/leader key did not exist/);
  });

  it.each([
    ['without a term', { role: 'engine', node: 'node1', term: null }],
    ['of another node', { role: 'engine', node: 'node2', term: 6 }],
    ['of another term', { role: 'engine', node: 'node1', term: 5 }],
  ] as const)('rejects a write %s', (_what, writer) => {
    const run = withVolume(calmRun().history.run(), 1, (volume) => ({
      ...volume,
      control: { ...volume.control, writer },
    }));
    expect(fencing(run).verdict).toBe('invalid');
  });

  describe('of deletions, for which etcd keeps no writer', () => {
    /** node1 led, node2 does when the volume's key goes; whose engine says that it was the one? */
    const deletedBy = (node: string, which: 'first' | 'second') => {
      const history = createHistory();
      const first = history.elects('node1', '21');
      const volume = history.write(change.assigned(ordered(history), null, by('engine', 'node1', first)));
      const stuck = history.write(change.delayed(volume, 'no room', by('engine', 'node1', first)));
      history.write(change.condemned(stuck, by('api', 'node1')));
      history.at(4000).remove(LEADER_KEY);
      const second = history.elects('node2', '22');
      history.at(4100).remove(volumeKey(VOLUME_ID));
      const term = which === 'first' ? first : second;
      return history.log(node, 'info', 'volume.deleted', { volume: VOLUME_ID, term });
    };

    it('accepts that of the leader, and that of an agent, which has no term', () => {
      const history = deletedBy('node2', 'second').log('node1', 'info', 'volume.deleted', {
        volume: VOLUME_ID,
      });
      expect(fencing(history.run())).toMatchObject({
        verdict: 'valid',
        reason: expect.stringContaining('2 writes and 1 deletion'),
      });
    });

    it('rejects that of an engine that was deposed', () => {
      const verdict = fencing(deletedBy('node1', 'first').run());
      expect(verdict).toMatchObject({
        verdict: 'invalid',
        reason: `an engine deleted volume ${VOLUME_ID} without leading`,
      });
      expect(verdict.counterExample?.at(-1)).toMatch(/the engine of node1 logs volume.deleted, term 2/);
    });
  });

  it('accuses nobody where the revision that elected the writer may be among those that are missing', () => {
    const run = withEtcd(calmRun().history.run(), (event) => (event.key === LEADER_KEY ? undefined : event));
    expect(fencing(run).verdict).toBe('invalid');
    expect(fencing({ ...run, etcdComplete: false }).verdict).toBe('unknown');
  });

  it('knows nothing when no engine wrote', () => {
    const history = createHistory();
    history.elects('node1', '21');
    ordered(history);
    expect(fencing(history.run()).verdict).toBe('unknown');
  });
});
