import { describe, expect, it } from '@jest/globals';
import * as change from '../../../../src/model/changes.ts';
import { oneNodePerVolume } from '../../../../src/rig/checks/one-node-per-volume.ts';
import { by, createHistory, type HistoryBuilder, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { calmRun, ORDER, withHistory, withVolume } from '../support/runs.ts';

const copy = { id: VOLUME_ID, quotaBytes: null, usedBytes: 0, files: {} };

describe('one-node-per-volume', () => {
  it('accepts a volume on one node', () => {
    expect(oneNodePerVolume(calmRun().history.run()).verdict).toBe('valid');
  });

  it('accepts that the rig sees an assignment late, but only after a member of etcd froze', () => {
    const seenLate = (fault: (history: HistoryBuilder) => HistoryBuilder, createdMs = 11_000) => {
      const history = createHistory({ nodes: [{ name: 'node1' }, { name: 'node2' }], etcd: { members: 3 } });
      history.at(100).registers('node1', '11').registers('node2', '12');
      const term = history.at(200).elects('node1', '21');
      fault(history.at(10_000)).at(createdMs).log('node1', 'info', 'volume.created', { volume: VOLUME_ID });
      let volume = history.at(16_000).write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
      volume = history.write(change.assigned(volume, 'node1', by('engine', 'node1', term)));
      history.write(change.completed(volume, by('agent', 'node1')));
      return oneNodePerVolume(history.settles().run()).verdict;
    };
    expect(seenLate((history) => history.fault('pause', 'etcd3'))).toBe('valid');
    expect(seenLate((history) => history.fault('pause', 'etcd3'), 5_000)).toBe('invalid');
    expect(seenLate((history) => history)).toBe('invalid');
  });

  it('rejects a subvolume on two nodes', () => {
    const run = calmRun()
      .history.inventory('final', 'node1', { volumes: [copy] })
      .run();
    const verdict = oneNodePerVolume(run);
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: expect.stringContaining('two nodes') });
    expect(verdict.counterExample?.at(-1)).toBe('etcd says: node2');
  });

  it('rejects an export on two nodes', () => {
    const run = calmRun()
      .history.inventory('final', 'node1', { exports: [{ id: VOLUME_ID, clients: [] }] })
      .run();
    expect(oneNodePerVolume(run).verdict).toBe('invalid');
  });

  it('rejects a ready volume that is written to another node', () => {
    const run = withVolume(calmRun().history.run(), 3, (volume) => ({ ...volume, node: 'node1' }));
    expect(oneNodePerVolume(run).reason).toMatch(/changed its node/);
  });

  it('knows nothing when a node that runs was not looked into', () => {
    const run = withHistory(calmRun().history.run(), (event) =>
      event.type === 'inventory' && event.node === 'node1' ? undefined : event,
    );
    expect(oneNodePerVolume(run)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('node1'),
    });
  });

  it('knows nothing when no node had a volume', () => {
    expect(oneNodePerVolume(createHistory().settles().run()).verdict).toBe('unknown');
  });

  describe('where a volume has been before', () => {
    const FOREIGN = { volume: VOLUME_ID };
    const TRASHED = { trash: [`${VOLUME_ID}.1764000000000`] };

    /** Assigned to node1 from 5 s to 8 s, then to node2, where it is ready; `fault` hits node1. */
    const reassigned = (fault: (history: HistoryBuilder) => void = () => {}) => {
      const history = createHistory();
      const term = history.at(100).elects('node1', '21');
      fault(history);
      let volume = history.at(4900).write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node2')));
      volume = history.at(5000).write(change.assigned(volume, 'node1', by('engine', 'node1', term)));
      volume = history.at(8000).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
      history.at(8100).log('node2', 'info', 'volume.created', FOREIGN);
      history.at(8200).write(change.completed(volume, by('agent', 'node2')));
      return history.at(60_000).settles().at(60_001);
    };
    const dead = (history: HistoryBuilder) =>
      history.at(4000).fault('kill', 'node1').at(9000).fault('start', 'node1');
    const frozen = (history: HistoryBuilder) =>
      history.at(4000).fault('pause', 'node1', 'agent').at(9000).fault('resume', 'node1', 'agent');

    it('accepts a volume that was never made where it was assigned first', () => {
      for (const fault of [undefined, dead, frozen])
        expect(oneNodePerVolume(reassigned(fault).run()).verdict).toBe('valid');
    });

    it.each([
      ['killed', dead],
      ['frozen', frozen],
    ])('rejects a volume that a node, %s meanwhile, made and trashed a second later', (_what, fault) => {
      const trashed = reassigned(fault).inventory('final', 'node1', TRASHED);
      const verdict = oneNodePerVolume(trashed.run());
      expect(verdict).toMatchObject({
        verdict: 'invalid',
        reason: `node1 made volume ${VOLUME_ID} while it was assigned elsewhere`,
      });
      expect(verdict.counterExample).toEqual([
        '+5.000 s: etcd gives it to node1, until +8.000 s',
        '+8.000 s: etcd gives it to node2',
        expect.stringMatching(/node1 has v00000000000000a1\.\d+ in its trash/),
      ]);
      const made = reassigned(fault).at(9500).log('node1', 'info', 'volume.created', FOREIGN);
      expect(oneNodePerVolume(made.run()).verdict).toBe('invalid');
    });

    it('accepts an orphan that was made, or begun, before the volume was given to another node', () => {
      const died = (history: HistoryBuilder) =>
        history.at(5500).fault('kill', 'node1').at(9000).fault('start', 'node1');
      const orphan = (atMs: number, fault?: (history: HistoryBuilder) => void) =>
        reassigned(fault)
          .inventory('final', 'node1', TRASHED)
          .at(atMs)
          .log('node1', 'info', 'volume.created', FOREIGN);
      expect(oneNodePerVolume(orphan(5400, died).run()).verdict).toBe('valid');
      expect(oneNodePerVolume(reassigned(died).inventory('final', 'node1', TRASHED).run()).verdict).toBe(
        'valid',
      );
      expect(oneNodePerVolume(orphan(8500).run()).verdict).toBe('valid');
      const paused = (history: HistoryBuilder) =>
        history.at(5500).fault('pause', 'node1', 'agent').at(19_000).fault('resume', 'node1', 'agent');
      expect(oneNodePerVolume(orphan(19_100, paused).run()).verdict).toBe('valid');
    });

    it('rejects what an agent made long after, or after it had died', () => {
      const late = reassigned().at(10_500).log('node1', 'info', 'volume.created', FOREIGN);
      expect(oneNodePerVolume(late.run()).verdict).toBe('invalid');
      const died = reassigned((history) =>
        history.at(5500).fault('kill', 'node1').at(8500).fault('start', 'node1'),
      );
      expect(
        oneNodePerVolume(died.at(9500).log('node1', 'info', 'volume.exported', FOREIGN).run()).verdict,
      ).toBe('invalid');
    });

    it('rejects a volume where etcd never had it, in whatever inventory', () => {
      for (const found of [{ volumes: [copy] }, { exports: [{ id: VOLUME_ID, clients: [] }] }, TRASHED]) {
        const run = calmRun().history.at(9000).inventory('half-way', 'node1', found).run();
        expect(oneNodePerVolume(run).verdict).toBe('invalid');
      }
      const early = calmRun().history.at(2000).log('node2', 'info', 'volume.created', FOREIGN);
      expect(oneNodePerVolume(early.run()).verdict).toBe('invalid');
    });

    it('rejects a node that keeps a volume long after it was given to another', () => {
      const kept = (atMs: number) =>
        reassigned()
          .at(atMs)
          .inventory('half-way', 'node1', { volumes: [copy] });
      expect(oneNodePerVolume(kept(12_000).run()).verdict).toBe('valid');
      expect(oneNodePerVolume(kept(80_000).run()).reason).toMatch(/node1 kept volume/);
      const trashed = reassigned().at(80_000).log('node1', 'warn', 'orphan.trashed', FOREIGN);
      expect(oneNodePerVolume(trashed.run()).reason).toMatch(/node1 kept volume/);
    });

    it('lets a rig that etcd had left see an assignment late, and knows nothing from half a history', () => {
      const late = calmRun().history.at(1000).fault('kill', 'etcd').at(3900).fault('start', 'etcd');
      late.at(1100).log('node2', 'info', 'volume.created', FOREIGN);
      expect(oneNodePerVolume(late.run()).verdict).toBe('valid');
      const stray = calmRun()
        .history.at(9000)
        .inventory('half-way', 'node1', { volumes: [copy] });
      expect(oneNodePerVolume(stray.run({ etcdComplete: false })).verdict).toBe('valid');
    });

    it('leaves alone what etcd never held', () => {
      const run = calmRun()
        .history.inventory('final', 'node1', { trash: [`${OTHER_ID}.1`, 'lost+found'] })
        .run();
      expect(oneNodePerVolume(run).verdict).toBe('valid');
    });
  });
});
