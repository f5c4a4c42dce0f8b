import { describe, expect, it } from '@jest/globals';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { CHECKS } from '../../../../src/rig/checks/catalogue.ts';
import type { HistoryEvent } from '../../../../src/rig/history.ts';
import { by, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { drainedRun, movedRun } from '../support/moves.ts';
import { withHistory } from '../support/runs.ts';

describe('clones', () => {
  const io = { kind: 'nfs-write', consumer: 'consumer1' } as const;

  it('accepts either of two writes to the parent that were open together', () => {
    const cloned = (found: string) => {
      const { history } = movedRun();
      history.at(13_100).io({ ...io, file: 'both', sha256: 'e1', tookMs: 500 });
      history.at(13_200).io({ ...io, file: 'both', sha256: 'e2' });
      const read = { ...io, kind: 'nfs-read', volume: OTHER_ID, file: 'both', sha256: found } as const;
      const unseen = (event: HistoryEvent) => (event.type === 'inventory' ? undefined : event);
      return CHECKS.clones(withHistory(history.at(16_000).io(read).run(), unseen)).verdict;
    };
    expect([cloned('e1'), cloned('e2'), cloned('e3')]).toEqual(['valid', 'valid', 'invalid']);
  });

  it('rejects a clone in which a read does not find what the parent had, or finds what it had not', () => {
    const look = (file: string, outcome: 'ok' | 'absent', sha256 = 'aa') => {
      const { history } = movedRun();
      history.at(20_000).io({ ...io, kind: 'nfs-read', volume: OTHER_ID, file, outcome, sha256 });
      return CHECKS.clones(history.run()).verdict;
    };
    expect([look('one', 'ok'), look('one', 'absent')]).toEqual(['valid', 'invalid']);
    expect([look('three', 'ok'), look('three', 'absent')]).toEqual(['invalid', 'valid']);
  });

  describe('where nobody knows what became of a write to the parent', () => {
    /** What a read of the clone comes to, of a file that was written before it was made. */
    const found = (
      sha256: string,
      writes: readonly { readonly atMs: number; readonly outcome: 'ok' | 'info'; readonly sha256: string }[],
    ) => {
      const { history } = movedRun();
      for (const { atMs, ...write } of writes) history.at(atMs).io({ ...io, file: 'old', ...write });
      const outcome = sha256 === 'absent' ? 'absent' : 'ok';
      const read = { ...io, kind: 'nfs-read', volume: OTHER_ID, file: 'old', outcome, sha256 } as const;
      const unseen = (event: HistoryEvent) => (event.type === 'inventory' ? undefined : event);
      return CHECKS.clones(withHistory(history.at(20_000).io(read).run(), unseen)).verdict;
    };
    const known = { atMs: 7_500, outcome: 'ok', sha256: 'e1' } as const;

    it('judges the clone all the same if it was made before that write began', () => {
      const late = { atMs: 16_000, outcome: 'info', sha256: 'e2' } as const;
      expect(found('e1', [known, late])).toBe('valid');
      expect(found('e2', [known, late])).toBe('invalid');
      expect(found('absent', [known, late])).toBe('invalid');
    });

    it('judges only that the file is there if that write may be in the clone', () => {
      const doubtful = { atMs: 8_000, outcome: 'info', sha256: 'e2' } as const;
      expect(found('e1', [known, doubtful])).toBe('unknown');
      expect(found('e2', [known, doubtful])).toBe('unknown');
      expect(found('absent', [known, doubtful])).toBe('invalid');
    });

    it('judges what was acknowledged once that write could do no more', () => {
      const doubtful = { atMs: 1_000, outcome: 'info', sha256: 'e0' } as const;
      const later = { ...known, atMs: 13_500 };
      expect(found('e1', [doubtful, later])).toBe('valid');
      expect(found('e0', [doubtful, later])).toBe('invalid');
    });
  });

  it('judges what was read before anything was written to the clone itself', () => {
    const look = (sha256: string) => {
      const { history } = movedRun();
      history.at(16_000).io({ ...io, kind: 'nfs-read', volume: OTHER_ID, file: 'one', sha256 });
      history.at(17_000).io({ ...io, volume: OTHER_ID, file: 'one', sha256: 'ee', outcome: 'info' });
      return CHECKS.clones(history.run()).verdict;
    };
    expect([look('aa'), look('ff')]).toEqual(['valid', 'invalid']);
  });

  describe('of a parent that is deleted', () => {
    type Step = (clone: Volume, term: number) => Volume;
    const granted: Step = (clone, term) => change.cloneGranted(clone, 'node1', by('engine', 'node1', term));
    const stuck: Step = (clone, term) => change.delayed(clone, 'no room', by('engine', 'node1', term));
    const made: Step = (clone) => change.made(clone, by('agent', 'node1'));
    const condemned: Step = (clone) => change.condemned(clone, by('api', 'node1'));

    const deletedAfter = (steps: readonly Step[]) => {
      const { history, volume, term } = drainedRun();
      const order = { ...volume, name: 'copy', parentId: VOLUME_ID };
      let clone = history.at(20_000).write(change.newClone(OTHER_ID, order, by('api', 'node1')));
      for (const step of steps) clone = history.write(step(clone, term));
      history.at(20_100).write(change.condemned(volume, by('api', 'node1')));
      return CHECKS.clones(history.run());
    };

    it.each([
      ['waits', []],
      ['is stuck', [stuck]],
      ['is being made', [granted]],
    ])('rejects that while its clone %s', (_how, steps) => {
      expect(deletedAfter(steps)).toMatchObject({
        verdict: 'invalid',
        reason: `volume ${VOLUME_ID} was deleted though its clone ${OTHER_ID} was still to be made`,
      });
    });

    it.each([
      ['is made', [granted, made]],
      ['has gone before it was', [stuck, condemned]],
    ])('accepts that when its clone %s', (_how, steps) => {
      expect(deletedAfter(steps).verdict).not.toBe('invalid');
    });
  });

  it('knows what a clone of a clone has from further up', () => {
    const third = 'v00000000000000c3';
    const cloned = (files: Readonly<Record<string, string>>, ofSecond: Readonly<Record<string, string>>) => {
      const { history, clone, term } = movedRun();
      history.at(23_000).http(202, {}, { id: third });
      const order = { ...clone, name: 'copy2', parentId: OTHER_ID };
      let made = history.write(change.newClone(third, order, by('api', 'node1')));
      made = history.write(change.cloneGranted(made, 'node1', by('engine', 'node1', term)));
      history.at(23_100).write(change.completed(made, by('agent', 'node1')));
      history.at(24_000).io({ ...io, volume: third, file: 'late', sha256: 'ee' });
      const disk = history.wanted('node1');
      const found: Record<string, Record<string, string>> = {
        [third]: { late: 'ee', ...files },
        [OTHER_ID]: ofSecond,
      };
      const volumes = disk.volumes.map((one) => ({ ...one, files: found[one.id] ?? { one: 'aa' } }));
      return CHECKS.clones(
        history
          .at(30_000)
          .inventory('final', 'node1', { ...disk, volumes })
          .finalState()
          .run(),
      );
    };
    const second = { one: 'aa', two: 'bb', own: 'dd' };
    expect(cloned({ one: 'aa', two: 'bb', own: 'dd' }, second)).toMatchObject({ verdict: 'valid' });
    expect(cloned({ one: 'aa', own: 'dd' }, second).verdict).toBe('invalid');
    expect(cloned({ one: 'aa', two: 'bb', own: 'dd', three: 'cc' }, second).verdict).toBe('invalid');
    expect(cloned({ one: 'aa', two: 'bb', own: 'dd' }, { ...second, late: 'ee' }).verdict).toBe('invalid');
  });

  it('rejects a file of a volume that is none of its parents', () => {
    const { history } = movedRun();
    history.at(10_000).io({ ...io, volume: 'v00000000000000d4', file: 'foreign', sha256: 'ff' });
    const run = history.run();
    const strange = (event: HistoryEvent): HistoryEvent => {
      if (event.type !== 'inventory') return event;
      const volumes = event.inventory.volumes.map((volume) =>
        volume.id === OTHER_ID ? { ...volume, files: { ...volume.files, foreign: 'ff' } } : volume,
      );
      return { ...event, inventory: { ...event.inventory, volumes } };
    };
    expect(CHECKS.clones(run).verdict).toBe('valid');
    expect(CHECKS.clones(withHistory(run, strange)).verdict).toBe('invalid');
  });

  it('leaves out a clone whose order had no answer, whatever later calls answer of it', () => {
    const { history } = movedRun();
    history.at(16_000).http(202, { method: 'PUT', path: `/volumes/${OTHER_ID}` }, { id: OTHER_ID });
    const unanswered = (event: HistoryEvent): HistoryEvent => {
      if (event.type !== 'call' || event.operation.kind !== 'http') return event;
      const isOrder = event.operation.method === 'POST' && event.phase === 'ok';
      return isOrder ? { ...event, phase: 'info', body: undefined } : event;
    };
    expect(CHECKS.clones(history.run()).verdict).toBe('valid');
    expect(CHECKS.clones(withHistory(history.run(), unanswered)).verdict).toBe('unknown');
  });

  it('knows nothing of a clone whose parent had nothing', () => {
    const { history, volume, term } = drainedRun();
    history.at(20_000).http(202, {}, { id: OTHER_ID });
    const order = { ...volume, name: 'copy', parentId: 'v00000000000000e5' };
    let made = history.write(change.newClone(OTHER_ID, order, by('api', 'node1')));
    made = history.write(change.cloneGranted(made, 'node1', by('engine', 'node1', term)));
    history.at(20_100).write(change.completed(made, by('agent', 'node1')));
    expect(CHECKS.clones(history.at(21_000).settles({}).run()).verdict).toBe('unknown');
  });
});
