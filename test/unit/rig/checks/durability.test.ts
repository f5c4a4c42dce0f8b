import { describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { durability } from '../../../../src/rig/checks/durability.ts';
import { by, createHistory, type HistoryBuilder, VOLUME_ID } from '../support/history.ts';
import { drainedRun } from '../support/moves.ts';
import { calmRun } from '../support/runs.ts';

const write = (sha256: string, more: object = {}) =>
  ({ kind: 'nfs-write', consumer: 'consumer1', file: 'f', sha256, ...more }) as const;
const read = (sha256: string, more: object = {}) =>
  ({ kind: 'nfs-read', consumer: 'consumer1', file: 'f', sha256, ...more }) as const;

const API = by('api', 'node1');
const AGENT = by('agent', 'node2');

/** A ready volume without any files of the calm run's own, from 20 s on. */
const ready = () => {
  const history = createHistory();
  const { volume } = calmRun();
  history.write(volume);
  return history.at(20_000);
};

describe('durability', () => {
  it('accepts acknowledged content that is read back and is there at the end', () => {
    const history = ready().io(write('aa')).at(20_100).io(read('aa')).at(21_000).settles({ f: 'aa' });
    expect(durability(history.run()).verdict).toBe('valid');
  });

  it('rejects a file that is gone or different at the end', () => {
    expect(durability(ready().io(write('aa')).at(21_000).settles({}).run()).counterExample).toEqual([
      expect.stringContaining('nfs-write of f by consumer1 acknowledged (call 1, aa)'),
      'at the end node2 has no file f',
    ]);
    expect(durability(ready().io(write('aa')).at(21_000).settles({ f: 'bb' }).run()).verdict).toBe('invalid');
  });

  it('rejects an older content, and a stale read', () => {
    const twice = () => ready().io(write('aa')).at(20_100).io(write('bb')).at(20_200);
    expect(durability(twice().settles({ f: 'aa' }).run()).verdict).toBe('invalid');
    expect(durability(twice().settles({ f: 'bb' }).run()).verdict).toBe('valid');
    expect(durability(twice().io(read('aa')).at(21_000).settles({ f: 'bb' }).run()).verdict).toBe('invalid');
  });

  it('rejects a read that finds nothing, even where the file is there at the end', () => {
    const missed = { ...read('aa'), outcome: 'absent' } as const;
    const run = ready().io(write('aa')).at(20_100).io(missed).at(20_200).io(missed).at(21_000);
    expect(durability(run.settles({ f: 'aa' }).run())).toMatchObject({
      verdict: 'invalid',
      counterExample: [
        expect.stringContaining('acknowledged (call 1, aa)'),
        '+20.100 s: nfs-read of f by consumer1 (call 2) found no such file',
      ],
    });
    const blurred = ready()
      .io(write('aa'))
      .at(20_100)
      .io(write('bb', { outcome: 'info' }))
      .at(20_200);
    expect(durability(blurred.io(missed).at(21_000).settles({ f: 'bb' }).run()).verdict).toBe('invalid');
  });

  it('learns nothing from a read that fails otherwise, or finds nothing before anything was acknowledged', () => {
    const found = (...[early, late]: readonly object[]) =>
      ready()
        .io({ ...read('aa'), ...early })
        .at(20_100)
        .io(write('aa'))
        .at(20_200)
        .io({ ...read('aa'), ...late })
        .at(21_000)
        .settles({ f: 'aa' })
        .run();
    expect(durability(found({ outcome: 'absent' }, { outcome: 'fail' })).verdict).toBe('valid');
    expect(durability(found({ outcome: 'fail' }, { outcome: 'refused' })).verdict).toBe('valid');
    expect(durability(found({ outcome: 'fail' }, { outcome: 'absent' })).verdict).toBe('invalid');
  });

  it('learns nothing from a read that finds nothing where the export may have come or gone', () => {
    const missed = { ...read('aa'), outcome: 'absent' } as const;
    const verdictOf = (history: HistoryBuilder, options: object = {}, change: object = {}) =>
      durability(
        history
          .at(30_000)
          .io({ ...missed, ...options })
          .at(31_000)
          .settles({ f: 'aa' })
          .run(change),
      ).verdict;
    const written = () => ready().io(write('aa')).at(22_000);
    expect(verdictOf(written())).toBe('invalid');
    expect(verdictOf(written(), { server: 'node1' })).toBe('valid');
    expect(verdictOf(written(), { consumer: 'consumer9' })).toBe('valid');
    expect(verdictOf(written().fault('kill', 'node2').at(25_000).fault('start', 'node2'))).toBe('valid');
    expect(verdictOf(written(), {}, { etcdComplete: false })).toBe('valid');
    const exported = (atMs: number) => {
      const history = written();
      const { volume } = calmRun();
      const closed = history.write(change.exported(change.reexported(volume, [], API), AGENT));
      history.at(atMs).write(change.exported(change.reexported(closed, volume.exports, API), AGENT));
      return history;
    };
    expect(verdictOf(exported(29_000))).toBe('valid');
    expect(verdictOf(exported(25_000))).toBe('invalid');
  });

  it('rejects a volume that vanished with its files, unless somebody deleted it', () => {
    const vanished = ready().io(write('aa')).at(21_000);
    vanished.inventory('final', 'node2').record({
      type: 'final-state',
      atMs: 21_000,
      revision: 9,
      keys: {},
      keyLeases: {},
      leases: [],
    });
    expect(durability(vanished.run()).reason).toMatch(/was lost/);
    const deleted = (status: number | undefined, askedMs = 20_900) =>
      durability(
        ready()
          .io(write('aa'))
          .at(askedMs)
          .http(status, { method: 'DELETE', path: `/volumes/${VOLUME_ID}` })
          .at(21_000)
          .remove(volumeKey(VOLUME_ID))
          .settles()
          .run(),
      ).verdict;
    expect([deleted(202), deleted(undefined)]).toEqual(['unknown', 'unknown']);
    expect([deleted(409), deleted(412), deleted(202, 21_100)]).toEqual(['invalid', 'invalid', 'invalid']);
    const unasked = ready().io(write('aa')).at(21_000).remove(volumeKey(VOLUME_ID)).settles().run();
    expect(durability(unasked)).toMatchObject({
      verdict: 'invalid',
      counterExample: expect.arrayContaining([
        `at the end etcd has no volume ${VOLUME_ID}, which nobody deleted`,
      ]),
    });
  });

  it('rejects what was read of a volume that was deleted later', () => {
    const deleted = (found: string) =>
      ready()
        .io(write('aa'))
        .at(20_100)
        .io(read(found))
        .at(20_900)
        .http(202, { method: 'DELETE', path: `/volumes/${VOLUME_ID}` })
        .at(21_000)
        .remove(volumeKey(VOLUME_ID))
        .settles();
    expect(durability(deleted('aa').run()).verdict).toBe('valid');
    expect(durability(deleted('bb').run()).verdict).toBe('invalid');
  });

  it('does not look for the files of a volume that is between two nodes when the run ends', () => {
    const { history, volume, term } = drainedRun();
    history.at(20_000);
    const sent = history.write(
      change.moveGranted(volume, { node: 'node2', cause: 'drain' }, by('engine', 'node1', term)),
    );
    history.write(change.handedOver(sent, '0123456789abcdef-7', by('agent', 'node1')));
    history.at(20_100).inventory('final', 'node1').inventory('final', 'node2').finalState();
    expect(durability(history.run()).verdict).toBe('unknown');
  });

  it('knows nothing of what is missing when it may not have seen its deletion', () => {
    const run = ready().io(write('aa')).at(21_000).inventory('final', 'node2').finalState().run();
    const [state] = run.history.filter((event) => event.type === 'final-state');
    const empty = run.history.map((event) => (event === state ? { ...event, keys: {} } : event));
    expect(durability({ ...run, history: empty as typeof run.history }).verdict).toBe('invalid');
    expect(durability({ ...run, history: empty as typeof run.history, etcdComplete: false }).verdict).toBe(
      'unknown',
    );
  });

  it('lets two writes that were open together have either outcome', () => {
    const both = () =>
      ready()
        .io(write('aa', { tookMs: 500 }))
        .at(20_100)
        .io(write('bb', { tookMs: 500 }))
        .at(21_000);
    for (const found of ['aa', 'bb'])
      expect(durability(both().settles({ f: found }).run()).verdict).toBe('valid');
    expect(durability(both().settles({ f: 'cc' }).run()).verdict).toBe('invalid');
  });

  it('cannot judge the content after a write of unknown outcome, but that the file is there', () => {
    const blurred = () =>
      ready()
        .io(write('aa'))
        .at(20_100)
        .io(write('bb', { outcome: 'info' }))
        .at(21_000);
    expect(durability(blurred().settles({ f: 'half' }).run())).toMatchObject({
      verdict: 'unknown',
      reason: 'of 1 file only the being there could be judged',
    });
    expect(durability(blurred().settles({}).run()).verdict).toBe('invalid');
    const another = blurred()
      .io(write('cc', { file: 'g' }))
      .at(22_000);
    expect(durability(another.settles({ f: 'half', g: 'cc' }).run())).toMatchObject({
      verdict: 'valid',
      reason:
        'acknowledged content was found each of the 1 times that it was compared; of 1 file only the being there could be judged',
    });
  });

  it('judges the content again once it was written anew, when nothing can come of such a write any more', () => {
    const anew = (atMs: number, disturb: (history: HistoryBuilder) => void = () => undefined) => {
      const history = ready()
        .io(write('aa'))
        .at(20_100)
        .io(write('bb', { outcome: 'info' }));
      disturb(history);
      const found = (sha256: string) => durability(history.at(50_000).settles({ f: sha256 }).run()).verdict;
      history.at(atMs).io(write('cc'));
      return [found('half'), found('cc')];
    };
    const halted =
      (member: string, toMs: number) =>
      (history: HistoryBuilder): void => {
        history.at(20_200).fault('pause', member).at(toMs).fault('resume', member);
      };
    expect(anew(30_000)).toEqual(['unknown', 'unknown']);
    // Whoever froze in the middle of it may not have ended its client.
    const frozen = (history: HistoryBuilder) =>
      history.at(20_090).fault('pause', 'consumer1').at(20_110).fault('resume', 'consumer1');
    expect(anew(49_000, frozen)).toEqual(['unknown', 'unknown']);
    expect(anew(30_200)).toEqual(['invalid', 'valid']);
    // Who was frozen goes on with it.
    expect(anew(31_000, halted('node2', 25_000))).toEqual(['unknown', 'unknown']);
    expect(anew(31_000, halted('consumer1', 25_000))).toEqual(['unknown', 'unknown']);
    expect(anew(36_000, halted('node2', 25_000))).toEqual(['invalid', 'valid']);
    expect(anew(31_000, halted('etcd', 25_000))).toEqual(['invalid', 'valid']);
  });

  it('never judges it after one by a kernel, which goes on with what it was given', () => {
    const openAt = 'node2';
    const history = ready()
      .io(write('aa', { openAt }))
      .at(20_100)
      .io(write('bb', { openAt, outcome: 'info' }))
      .at(40_000)
      .io(write('cc', { openAt }));
    expect(durability(history.at(50_000).settles({ f: 'half' }).run()).verdict).toBe('unknown');
  });

  it('takes a refused write for one that did not happen', () => {
    const history = ready()
      .io(write('aa'))
      .at(20_100)
      .io(write('bb', { outcome: 'refused' }))
      .at(21_000);
    expect(durability(history.settles({ f: 'bb' }).run()).verdict).toBe('invalid');
  });

  it('cannot judge the content after a write that was refused once it had begun', () => {
    const cut = () =>
      ready()
        .io(write('aa'))
        .at(20_100)
        .io(write('bb', { outcome: 'cut' }))
        .at(21_000);
    expect(durability(cut().settles({ f: 'empty' }).run()).verdict).toBe('unknown');
    expect(durability(cut().settles({}).run()).verdict).toBe('invalid');
  });

  it('knows nothing without an acknowledged write, or when nobody looked at the end', () => {
    expect(
      durability(
        ready()
          .io(write('aa', { outcome: 'info' }))
          .at(21_000)
          .settles({})
          .run(),
      ).verdict,
    ).toBe('unknown');
    const unseen = durability(
      ready().io(write('aa')).at(20_100).io(read('aa')).at(21_000).finalState().run(),
    );
    expect(unseen).toMatchObject({ verdict: 'unknown', counterExample: [`${VOLUME_ID}/f`] });
  });
});
