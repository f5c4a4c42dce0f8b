// What is late on a machine that has time for it is wrong; on one that has none it
// isn't, unless it is later than even that machine explains. So for each bound that
// leaves time for work.

import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY, nodeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { CHECKS, type CheckName } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { MachineEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { QUIET } from '../../../support/site.ts';
import { by, createHistory, type HistoryBuilder, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { drainedRun, drains, TOPOLOGY } from '../support/moves.ts';
import { calmRun, ORDER, withHistory } from '../support/runs.ts';

interface Bound {
  readonly check: CheckName;
  /** What may take a while, for people. */
  readonly what: string;
  /** What passes by the settings alone, and what is left for work. */
  readonly waitMs: number;
  readonly workMs: number;
  readonly run: (lateMs: number) => RecordedRun;
  /** Within its time it is wrong as well. */
  readonly isAlwaysWrong?: boolean;
}

const FIELD = { volume: VOLUME_ID };

/** A volume's first assignment, and whatever comes next. */
function placed(history: HistoryBuilder, node = 'node2') {
  const term = history.at(100).elects('node1', '21');
  const volume = history.at(4_900).write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
  return {
    term,
    volume: history.at(5_000).write(change.assigned(volume, node, by('engine', 'node1', term))),
  };
}

/** The volume moves on to node2; what node2 does early, it does so long before the handover is seen. */
function movedAgain(lateMs: number, early: (history: HistoryBuilder) => void): RecordedRun {
  const { history, volume, term } = drainedRun();
  drains(history.at(20_000), 'node1');
  const task = { node: 'node2', cause: 'drain' } as const;
  const moving = history.at(20_010).write(change.moveGranted(volume, task, by('engine', 'node1', term)));
  history.at(20_100).log('node1', 'info', 'move.cutover', FIELD);
  early(history.at(20_200));
  history.at(20_200 + lateMs);
  const over = history.write(change.handedOver(moving, '0123456789abcdef-2', by('agent', 'node1')));
  history.at(20_300 + lateMs).write(change.completed(over, by('agent', 'node2')));
  return history.run();
}

/** Background traffic before and after etcd is away for so long and a little; none meanwhile. */
function silence(gapMs: number): RecordedRun {
  const history = createHistory();
  const work = { kind: 'nfs-read', consumer: 'consumer1', process: 'traffic' } as const;
  for (const atMs of [9_000, 9_500, 9_990]) history.at(atMs).io(work);
  history.at(10_000).fault('kill', 'etcd').at(10_045).io(work);
  for (const atMs of [50, 100, 150]) history.at(10_045 + gapMs + atMs).io(work);
  return history
    .at(10_045 + gapMs + 100)
    .fault('start', 'etcd')
    .run();
}

const BOUNDS: readonly Bound[] = [
  {
    check: 'access',
    what: 'the end of an access',
    waitMs: 0,
    workMs: 2_000,
    run: (lateMs) => {
      const { history, volume } = calmRun();
      history.at(20_000).write(change.reexported(volume, [], by('api', 'node1')));
      return history
        .at(20_000 + lateMs)
        .io({ kind: 'nfs-read', consumer: 'consumer1' })
        .run();
    },
  },
  {
    check: 'access',
    what: 'the return of a node that lets clients in',
    waitMs: 0,
    workMs: 30_000,
    run: (lateMs) => {
      const { history } = calmRun();
      history.at(20_000).fault('kill', 'node2').at(21_000).fault('start', 'node2');
      return history
        .at(21_050 + lateMs)
        .io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'refused' })
        .run();
    },
  },
  { check: 'traffic-uninterrupted', what: 'a call', waitMs: 0, workMs: 3_000, run: silence },
  {
    check: 'traffic-uninterrupted',
    what: 'a call that its client gives up',
    isAlwaysWrong: true,
    waitMs: 0,
    workMs: 3_000,
    run: (lateMs) => {
      const history = createHistory();
      const work = { kind: 'nfs-read', consumer: 'consumer1', process: 'traffic' } as const;
      history
        .at(10_000)
        .fault('kill', 'etcd')
        .at(10_100)
        .io({ ...work, outcome: 'info', tookMs: lateMs });
      for (let atMs = 9_000; atMs < 11_000 + lateMs; atMs += 500)
        history.at(atMs).io({ ...work, process: 'traffic (2)' });
      return history
        .at(10_500 + lateMs)
        .fault('start', 'etcd')
        .run();
    },
  },
  {
    check: 'one-node-per-volume',
    what: 'the end of an orphan',
    waitMs: 5_000,
    workMs: 15_000,
    run: (lateMs) => {
      const history = createHistory();
      const { volume, term } = placed(history, 'node1');
      history.at(5_100).log('node1', 'info', 'volume.created', FIELD);
      const other = history.at(8_000).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
      history.at(8_200).write(change.completed(other, by('agent', 'node2')));
      history.at(8_000 + lateMs).log('node1', 'info', 'orphan.trashed', FIELD);
      return history
        .at(9_000 + lateMs)
        .settles()
        .run();
    },
  },
  {
    check: 'one-node-per-volume',
    what: 'what an agent had begun',
    waitMs: 0,
    workMs: 2_000,
    run: (lateMs) => {
      const history = createHistory();
      const { volume, term } = placed(history, 'node1');
      const other = history.at(8_000).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
      history.at(8_200).write(change.completed(other, by('agent', 'node2')));
      history.at(8_000 + lateMs).log('node1', 'info', 'volume.created', FIELD);
      return history
        .at(9_000 + lateMs)
        .settles()
        .run();
    },
  },
  {
    check: 'ends',
    what: 'work on a volume',
    waitMs: 4_000,
    workMs: 10_000,
    run: (lateMs) => {
      const history = createHistory();
      const { volume } = placed(history);
      history.at(5_000 + lateMs).write(change.completed(volume, by('agent', 'node2')));
      return history.finalState().run();
    },
  },
  {
    check: 'logs',
    what: 'errors after a fault',
    waitMs: 3_000,
    workMs: 10_000,
    run: (lateMs) => {
      const history = createHistory().log('node1', 'info', 'daemon.started');
      history.log('node2', 'info', 'daemon.started').at(5_000).fault('kill', 'node1');
      history.at(6_000).fault('start', 'node1');
      return history
        .at(6_050 + lateMs)
        .log('node1', 'error', 'agent.failed')
        .run();
    },
  },
  {
    check: 'logs',
    what: "the supervisor's word on a role that was killed",
    waitMs: 0,
    workMs: 2_000,
    run: (lateMs) => {
      const history = createHistory().log('node1', 'info', 'daemon.started');
      history.log('node2', 'info', 'daemon.started').at(5_000).fault('kill', 'node1', 'api');
      const exited = { role: 'api', code: null, signal: 'SIGKILL' };
      return history
        .at(5_050 + lateMs)
        .log('node1', 'info', 'role.exited', exited)
        .run();
    },
  },
  {
    check: 'one-leader',
    what: 'the end of a belief, without etcd',
    waitMs: 3_000,
    workMs: 250,
    run: (lateMs) => {
      const history = createHistory();
      const term = history.at(100).elects('node1', '21');
      history.at(5_000).fault('kill', 'etcd');
      history.at(5_050 + lateMs).log('node1', 'info', 'engine.deposed', { term });
      return history
        .at(6_000 + lateMs)
        .fault('start', 'etcd')
        .run();
    },
  },
  {
    check: 'one-leader',
    what: 'the end of a belief, when another is elected',
    waitMs: 0,
    workMs: 250,
    run: (lateMs) => {
      const history = createHistory();
      const term = history.at(100).elects('node1', '21');
      history.at(5_000).remove(LEADER_KEY).elects('node2', '22');
      return history
        .at(5_000 + lateMs)
        .log('node1', 'info', 'engine.deposed', { term })
        .run();
    },
  },
  {
    check: 'heartbeats',
    what: 'the loss of a lease, after a fault',
    waitMs: 3_000,
    workMs: 5_000,
    run: (lateMs) => {
      const history = createHistory().at(100).registers('node1', '11').registers('node2', '12');
      history.at(5_000).fault('pause', 'node1').at(6_000).fault('resume', 'node1');
      return history
        .at(6_050 + lateMs)
        .remove(nodeKey('node1'))
        .run();
    },
  },
  {
    check: 'moves',
    what: 'the sight of a commit',
    waitMs: 0,
    workMs: 1_000,
    run: (lateMs) => movedAgain(lateMs, (history) => history.log('node2', 'info', 'volume.exported', FIELD)),
  },
  {
    check: 'moves',
    what: 'the sight of a handover, where a client was let in',
    waitMs: 0,
    workMs: 1_000,
    run: (lateMs) =>
      movedAgain(lateMs, (history) =>
        history.io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node2', tookMs: 0 }),
      ),
  },
  {
    check: 'moves',
    what: 'the collection of an inventory',
    waitMs: 0,
    workMs: 3_000,
    run: (lateMs) => {
      const { history } = drainedRun();
      return history
        .at(8_260 + lateMs)
        .inventory('later', 'node2', { exports: [{ id: VOLUME_ID, clients: [] }] })
        .run();
    },
  },
  {
    check: 'constraints',
    what: 'the news that a node is drained',
    waitMs: 0,
    workMs: 1_000,
    run: (lateMs) => {
      const history = createHistory().at(50).registers('node2', '12');
      const term = history.at(100).elects('node1', '21');
      drains(history.at(4_000), 'node2');
      const order = { ...ORDER, requested: { reserved_size: 1, constraints: {} } };
      const volume = history.write(change.newVolume(VOLUME_ID, order, by('api', 'node1')));
      history.at(4_000 + lateMs).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
      return history.run();
    },
  },
  ...(['told', 'watch'] as const).map(
    (check): Bound => ({
      check,
      what: 'the sight of a commit, when following begins',
      waitMs: 0,
      workMs: 1_000,
      run: (lateMs) => {
        const history = createHistory();
        const { volume } = placed(history);
        const ready = history.at(5_100).write(change.completed(volume, by('agent', 'node2')));
        history.at(10_000).registers('node2', '12').at(20_000).follow('open', 'consumer1');
        const pending = history.at(20_000 + lateMs).write(change.reexported(ready, [], by('api', 'node1')));
        history.write(change.exported(pending, by('agent', 'node2')));
        return history.at(1_000_000).follow('end', 'consumer1').run();
      },
    }),
  ),
  {
    check: 'told',
    what: 'catching up with events after a fault',
    waitMs: 0,
    workMs: 5_000,
    run: (lateMs) => {
      const { history, volume } = drainedRun();
      history.at(30_000).fault('pause', 'node1');
      const pending = history.at(30_500).write(change.reexported(volume, [], by('api', 'node2')));
      history.write(change.exported(pending, by('agent', 'node1')));
      history.at(31_000).fault('resume', 'node1');
      return history
        .at(31_050 + lateMs)
        .follow('end', 'consumer1')
        .run();
    },
  },
  {
    check: 'rebalance-converges',
    what: 'the news that a move gets on again',
    waitMs: 0,
    workMs: 1_000,
    run: (lateMs) => {
      const { history, volume, term } = drainedRun({ ...TOPOLOGY, settings: { maxMoves: 1 } });
      const task = { node: 'node2', cause: 'drain' } as const;
      const other = history.at(15_000).write({ ...volume, id: OTHER_ID });
      drains(history.at(20_000), 'node1');
      history.at(20_010).write(change.moveGranted(volume, task, by('engine', 'node1', term)));
      history.at(30_000).remove(nodeKey('node2')).at(30_010).registers('node2', '13');
      history.at(30_010 + lateMs).write(change.moveGranted(other, task, by('engine', 'node1', term)));
      return history.run();
    },
  },
  {
    check: 'no-stale-leases',
    what: 'the end of a lease',
    waitMs: 3_000,
    workMs: 1_000,
    run: (lateMs) => {
      const history = createHistory().registers('node1', '11').at(4_000).fault('kill', 'node1');
      return history
        .at(4_050 + lateMs)
        .finalState()
        .run();
    },
  },
  {
    check: 'convergence',
    what: 'coming to rest after a fault',
    waitMs: 0,
    workMs: 4_000,
    run: (lateMs) => {
      const { history } = calmRun();
      history.at(16_000).fault('pause', 'node2').at(17_000).fault('resume', 'node2');
      const nothing = { volumes: [], exports: [] };
      return history
        .at(17_050 + lateMs)
        .inventory('final', 'node2', nothing)
        .finalState()
        .run();
    },
  },
  {
    check: 'outage-changes-nothing',
    what: 'the collection of an inventory, with a write at its beginning',
    waitMs: 0,
    workMs: 10_000,
    run: (lateMs) => {
      const { history } = calmRun();
      const collected = (label: string, one: string) => {
        history.inventory(label, 'node1', history.wanted('node1'));
        history.inventory(label, 'node2', history.wanted('node2', { one }));
      };
      collected('before-outage', 'aa');
      history.at(300_000 - lateMs).io({ kind: 'nfs-write', consumer: 'consumer1', sha256: 'cc', tookMs: 0 });
      history.at(300_000);
      collected('during-outage', 'half');
      return history.run();
    },
  },
  ...(['met', 'missed'] as const).map(
    (outcome): Bound => ({
      check: 'expectations',
      what: `what is ${outcome} after its time`,
      isAlwaysWrong: outcome === 'missed',
      waitMs: 0,
      workMs: 2_000,
      run: (measuredMs) =>
        createHistory().at(1_000_000).expectation({ outcome, boundMs: 2_000, measuredMs }).run(),
    }),
  ),
];

/** Work takes four times as long, from the first moment to the last. */
const STARVED: MachineEvent = { ...QUIET, runnable: 8, cores: 2 };

const on = (machine: MachineEvent | undefined, run: RecordedRun): RecordedRun =>
  withHistory(run, (event) => (event.type === 'machine' ? machine : event));

describe.each(BOUNDS)(
  '$check gives $what $workMs ms',
  ({ check, waitMs, workMs, run, isAlwaysWrong = false }) => {
    const late = run(waitMs + 2 * workMs);
    const muchTooLate = run(5 * (waitMs + workMs));
    const verdictOf = (one: RecordedRun): string => CHECKS[check](one).verdict;

    it('and no more where the machine is quiet', () => {
      expect(verdictOf(late)).toBe('invalid');
      expect(verdictOf(run(waitMs + 0.9 * workMs)) === 'invalid').toBe(isAlwaysWrong);
    });

    it.each([
      ['starved', STARVED],
      ['not measured', undefined],
    ])('of work, where the machine is %s', (_how, machine) => {
      expect(verdictOf(on(machine, late))).not.toBe('invalid');
      expect(verdictOf(on(machine, muchTooLate))).toBe('invalid');
    });

    it('and says where only the machine explains that it took longer', () => {
      const [excused] = judge(on(STARVED, late), [check]).verdicts;
      expect(excused?.reason).toContain(
        `; a machine that is not slow would make it invalid: ${CHECKS[check](late).reason}`,
      );
      const [good] = judge(on(STARVED, run(waitMs + 0.9 * workMs)), [check]).verdicts;
      expect(good?.reason).not.toContain('a machine that is not slow');
    });
  },
);

describe('what no machine explains', () => {
  it('is invalid, however starved it was', () => {
    const stalled: MachineEvent = { ...QUIET, runnable: 1_000, cores: 1 };
    const answered = { outcome: 'missed', isFinal: true, boundMs: 10, measuredMs: 900 } as const;
    const run = createHistory().at(1_000).registers('node1', '11').expectation(answered);
    run.at(5_000).put(nodeKey('node1'), {});
    const { verdicts } = judge(on(stalled, run.run()), ['expectations', 'heartbeats']);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['invalid', 'invalid']);
  });

  it('is not the loss of a lease that nobody was let renew', () => {
    const history = createHistory().at(100).registers('node1', '11').at(8_000).remove(nodeKey('node1'));
    const share = (runnable: number) => on({ ...QUIET, runnable }, history.run());
    expect(CHECKS.heartbeats(share(10)).verdict).not.toBe('invalid');
    expect(CHECKS.heartbeats(share(5)).verdict).toBe('invalid');
    expect(CHECKS.heartbeats(history.run()).verdict).toBe('invalid');
    expect(CHECKS.heartbeats(on(undefined, history.run())).verdict).toBe('invalid');
  });
});
