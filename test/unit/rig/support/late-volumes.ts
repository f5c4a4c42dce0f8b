// Runs in which something that is done with a volume is late, by as much as is wanted.

import { nodeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory, type HistoryBuilder, OTHER_ID, VOLUME_ID } from './history.ts';
import { type Bound, placed } from './late.ts';
import { drainedRun, drains, TOPOLOGY } from './moves.ts';
import { calmRun, ORDER } from './runs.ts';

const FIELD = { volume: VOLUME_ID };

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

export const OF_VOLUMES: readonly Bound[] = [
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
    workMs: 200,
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
    check: 'rebalance-converges',
    what: 'the sight of the first of several attempts',
    waitMs: 0,
    workMs: 5_000,
    run: (lateMs) => {
      const { history, volume, term } = drainedRun();
      const engine = by('engine', 'node1', term);
      // Five waits, of 1, 2, 4, 8 and 16 s.
      for (let left = 5; left >= 0; left -= 1) {
        history.at(100_000 - (left * (31_000 - lateMs)) / 5);
        const task = { node: 'node2', cause: 'rebalance' } as const;
        const sent = history.write(change.moveGranted(volume, task, engine));
        history.write(change.settled(history.write(change.moveCancelled(sent, 'why', engine)), engine));
      }
      return history.run();
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
];
