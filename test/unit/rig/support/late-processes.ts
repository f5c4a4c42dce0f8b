// Runs in which a process, a client or the rig itself is late, by as much as is wanted.

import { LEADER_KEY, nodeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory } from './history.ts';
import { type Bound, placed } from './late.ts';
import { drainedRun } from './moves.ts';
import { calmRun } from './runs.ts';

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

export const OF_PROCESSES: readonly Bound[] = [
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
  ...(['told', 'watch'] as const).map(
    (check): Bound => ({
      check,
      what: 'the sight of a commit, when following begins',
      waitMs: 0,
      workMs: 200,
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
