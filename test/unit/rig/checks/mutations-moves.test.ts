// Breaks one thing at a time in a run with a move and a clone, in ways that a
// real bug would, and expects the check that is about it to see it.

import { describe, expect, it } from '@jest/globals';
import { nodeKey, volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { CHECKS, type CheckName } from '../../../../src/rig/checks/catalogue.ts';
import type { HistoryEvent, NodeLogLine, RecordedRun } from '../../../../src/rig/history.ts';
import { by, type HistoryBuilder, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { drainedRun, drains, movedOnRun, movedRun, moves, TOPOLOGY } from '../support/moves.ts';
import { withHistory, withVolume } from '../support/runs.ts';

const original = movedRun().history.run();

const withLogs = (replace: (line: NodeLogLine) => NodeLogLine | undefined): RecordedRun => ({
  ...original,
  logs: original.logs.flatMap((line) => replace(line) ?? []),
});

/** The run with something more in its history. */
const andHistory = (event: HistoryEvent): RecordedRun => ({
  ...original,
  history: [...original.history, event].sort((a, b) => a.atMs - b.atMs),
});

const shifted = (event: string, container: string, byMs: number): RecordedRun =>
  withLogs((line) =>
    line.event === event && line.container === container ? { ...line, atMs: line.atMs + byMs } : line,
  );

/** What was told of the nth instruction, from 0. */
const withTold = (nth: number, edit: (data: object) => object | undefined): RecordedRun => {
  let seen = -1;
  return withHistory(original, (event) => {
    if (event.type !== 'told') return event;
    seen += 1;
    if (seen !== nth) return event;
    const data = edit(event.data as object);
    return data && { ...event, data };
  });
};

/** One of its consumer's calls at a node gets through, though it was refused. */
const letIn = (process: string): RecordedRun =>
  withHistory(original, (event) => {
    if (event.type !== 'call' || event.process !== process || event.phase !== 'fail') return event;
    const { refused: _refused, ...rest } = event;
    return { ...rest, phase: 'ok', sha256: 'aa' };
  });

/** Edits the files of a volume in the final inventory. */
const onDisk = (id: string, edit: (files: Readonly<Record<string, string>>) => Record<string, string>) =>
  withHistory(original, (event) =>
    event.type !== 'inventory'
      ? event
      : {
          ...event,
          inventory: {
            ...event.inventory,
            volumes: event.inventory.volumes.map((volume) =>
              volume.id === id ? { ...volume, files: edit(volume.files) } : volume,
            ),
          },
        },
  );

const atTheEnd = (node: string, edit: object): RecordedRun =>
  withHistory(original, (event) =>
    event.type === 'inventory' && event.node === node
      ? { ...event, inventory: { ...event.inventory, ...edit } }
      : event,
  );

const BUGS: readonly (readonly [CheckName, string, () => RecordedRun])[] = [
  ['moves', 'the new node exports before the handover', () => shifted('volume.exported', 'node1', -200)],
  ['moves', 'the new node exports long before it', () => shifted('volume.exported', 'node1', -290)],
  [
    'moves',
    'the old node exports again after the handover',
    () => ({
      ...original,
      logs: [...original.logs, { ...log('node2', 'volume.exported'), atMs: 9_000 }],
    }),
  ],
  ['moves', 'the old node still lets clients in', () => letIn('nosy')],
  [
    'moves',
    'the new node lets clients in while the old one does',
    () => {
      const { history } = movedRun();
      history.at(7_500).io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node1', process: 'early' });
      return history.run();
    },
  ],
  [
    'moves',
    'the old node has the export at the end',
    () => atTheEnd('node2', { exports: [{ id: VOLUME_ID, clients: [] }] }),
  ],
  [
    'moves',
    'the source goes unverified',
    () => withLogs((line) => (line.event === 'move.verified' ? undefined : line)),
  ],
  ['moves', 'the source goes before it is verified', () => shifted('move.verified', 'node2', 200)],
  [
    'moves',
    'another copy was verified',
    () =>
      withLogs((line) =>
        line.event === 'move.verified' ? { ...line, fields: { ...line.fields, copy: 'f-9' } } : line,
      ),
  ],
  [
    'moves',
    'the old node exports it after it has gone on to a third',
    () => {
      const { history } = movedOnRun();
      return history.at(40_000).log('node2', 'info', 'volume.exported', { volume: VOLUME_ID }).run();
    },
  ],
  [
    'moves',
    'the old node drops it unverified after it has gone on to a third',
    () => {
      const { history } = movedOnRun();
      const run = history.at(40_000).log('node2', 'info', 'move.source-trashed', { volume: VOLUME_ID }).run();
      const isFirst = ({ container, event }: NodeLogLine) =>
        container === 'node2' && event !== 'move.cutover';
      return {
        ...run,
        logs: run.logs.filter((line) => !isFirst(line) || line.atMs < 8_000 || line.atMs === 40_000),
      };
    },
  ],
  [
    'moves',
    'the digests differ',
    () => ({
      ...original,
      logs: [...original.logs, { ...log('node2', 'move.digest-mismatch'), atMs: 8_400 }],
    }),
  ],
  [
    'moves',
    'it is handed over as exported',
    () =>
      withVolume(original, 4, (volume) => ({
        ...volume,
        actual: volume.actual && { ...volume.actual, exports: volume.exports },
      })),
  ],
  ['told', 'the consumer is not told of the move', () => withTold(2, () => undefined)],
  ['told', 'the consumer is not told that it may mount it', () => withTold(0, () => undefined)],
  [
    'told',
    'the consumer is sent to the old node',
    () => withTold(2, (data) => ({ ...data, mount: { server: 'node2' } })),
  ],
  [
    'told',
    'the consumer is told to unmount it',
    () => withTold(2, (data) => ({ ...data, clients: unmount })),
  ],
  ['told', 'an event is of an older revision', () => withTold(2, (data) => ({ ...data, revision: 3 }))],
  [
    'told',
    'the consumer is told twice',
    () => {
      const again = original.history.findLast((event) => event.type === 'told');
      if (again === undefined) throw new Error('nothing was told');
      return andHistory({ ...again, atMs: 20_000 });
    },
  ],
  ['one-node-per-volume', 'the old node keeps the volume', () => atTheEnd('node2', { volumes: [subvolume] })],
  [
    'one-node-per-volume',
    'the old node still has the volume long after',
    () =>
      andHistory({
        type: 'inventory',
        atMs: 80_000,
        label: 'late',
        node: 'node2',
        inventory: { volumes: [subvolume], exports: [], trash: [] },
      }),
  ],
  [
    'access',
    'the new node refuses a consumer that it has to let in',
    () => {
      const { history } = movedRun();
      history.at(20_000).io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node1', outcome: 'refused' });
      return history.run();
    },
  ],
  ['convergence', 'a copy is left', () => atTheEnd('node1', { copies: [`${VOLUME_ID}.0123456789abcdef-1`] })],
  ['durability', 'a file is lost on the way', () => onDisk(VOLUME_ID, ({ one: _one, ...files }) => files)],
  ['clones', 'the clone lacks a file', () => onDisk(OTHER_ID, ({ one: _one, ...files }) => files)],
  ['clones', 'the clone has another content', () => onDisk(OTHER_ID, (files) => ({ ...files, one: 'zz' }))],
  [
    'clones',
    "the parent's later file is in the clone",
    () => onDisk(OTHER_ID, (files) => ({ ...files, three: 'cc' })),
  ],
  [
    'clones',
    "the clone's file is in the parent",
    () => onDisk(VOLUME_ID, (files) => ({ ...files, own: 'dd' })),
  ],
  [
    'constraints',
    'the volume is sent to a node without its label',
    () =>
      withVolume(original, 3, (volume) => ({
        ...volume,
        requested: { ...volume.requested, constraints: { zone: 'elsewhere' } },
      })),
  ],
  [
    'constraints',
    'a volume is sent to a node that is being drained',
    () => {
      const { history, volume, term } = drainedRun();
      moves(history, volume, { atMs: 30_000, term, to: 'node2', cause: 'rebalance' });
      return history.run();
    },
  ],
  [
    'rebalance-converges',
    'a drained volume is moved again, and for nothing',
    () => {
      const { history, volume, term } = drainedRun();
      moves(history, volume, { atMs: 30_000, term, to: 'node2', cause: 'rebalance' });
      return history.run();
    },
  ],
  [
    'rebalance-converges',
    'a volume is sent off and called back over and over',
    () => {
      const { history, volume, term } = drainedRun();
      inVain(history, volume, { term, times: 50, everyMs: 100 });
      return history.run();
    },
  ],
  [
    'rebalance-converges',
    'more move at a time than may',
    () => ({
      ...original,
      topology: { ...original.topology, settings: { ...original.topology.settings, maxMoves: 0 } },
    }),
  ],
];

const log = (container: string, event: string): Omit<NodeLogLine, 'atMs'> => ({
  container,
  level: 'info',
  event,
  fields: { volume: VOLUME_ID },
});
const unmount = [{ host: '10.0.0.11', action: 'unmount', access: null, squash: null }];
const subvolume = { id: VOLUME_ID, quotaBytes: null, usedBytes: 0, files: {} };

describe('a valid run with a move and a clone, with one thing broken', () => {
  it.each(BUGS)('is rejected by %s when %s', (check, _bug, broken) => {
    expect(CHECKS[check](original).verdict).toBe('valid');
    const verdict = CHECKS[check](broken());
    expect(verdict).toMatchObject({ check, verdict: 'invalid' });
    expect(verdict.counterExample?.length).toBeGreaterThan(0);
  });
});

/** Sent to node2, called off and settled where it is, so often. */
function inVain(
  history: HistoryBuilder,
  volume: Volume,
  { term, times, everyMs }: { readonly term: number; readonly times: number; readonly everyMs: number },
): void {
  const author = by('engine', 'node1', term);
  for (let turn = 0; turn < times; turn += 1) {
    const move = { node: 'node2', cause: 'rebalance' } as const;
    const sent = history.at(30_000 + turn * everyMs).write(change.moveGranted(volume, move, author));
    history.write(change.settled(history.write(change.moveCancelled(sent, 'why', author)), author));
  }
}

describe('rebalance-converges', () => {
  it('accepts that a move which was called off is tried again, later and later', () => {
    const { history, volume, term } = drainedRun();
    inVain(history, volume, { term, times: 8, everyMs: 30_000 });
    expect(CHECKS['rebalance-converges'](history.run()).verdict).toBe('valid');
  });

  it('does not count a move that waits for its node after the handover, as long as that is away', () => {
    const two = (isAway: boolean) => {
      const { history, volume, term } = drainedRun({
        ...TOPOLOGY,
        settings: { maxMoves: 1 },
      });
      const other = history.write({ ...volume, id: OTHER_ID, name: 'b', node: 'node2' });
      const author = by('engine', 'node1', term);
      const move = { node: 'node1', cause: 'drain' } as const;
      const sent = history.at(30_000).write(change.moveGranted(other, move, author));
      history.at(30_200).write(change.handedOver(sent, 'c-1', by('agent', 'node2')));
      if (isAway) history.at(31_000).remove(nodeKey('node1'));
      drains(history.at(32_000), 'node1');
      history.at(33_000).write(change.moveGranted(volume, { node: 'node2', cause: 'drain' }, author));
      return CHECKS['rebalance-converges'](history.run()).verdict;
    };
    expect(two(true)).toBe('valid');
    expect(two(false)).toBe('invalid');
  });

  it('accepts that a volume moves again for another cause', () => {
    const { history, volume, term } = movedRun();
    drains(history.at(29_000), 'node1');
    moves(history, volume, { atMs: 30_000, term, to: 'node2', cause: 'drain' });
    expect(CHECKS['rebalance-converges'](history.run()).verdict).toBe('valid');
  });
});

describe('moves', () => {
  it('knows nothing of a move that has not ended', () => {
    const { history, volume, term } = movedRun();
    drains(history.at(29_000), 'node1');
    moves(history, volume, { atMs: 30_000, term, to: 'node2', cause: 'drain' });
    const run = history.run();
    const etcd = run.etcd.slice(0, -1);
    expect(CHECKS.moves({ ...run, etcd }).verdict).toBe('unknown');
  });

  it('knows nothing of what could not be compared', () => {
    const run = withLogs((line) =>
      line.event === 'move.verified' ? { ...line, event: 'move.unverified' } : line,
    );
    expect(CHECKS.moves(run).verdict).toBe('unknown');
  });

  it('accepts what could not be compared of a volume that had arrived whole and gone on, and nothing else', () => {
    const run = movedOnRun().history.run();
    const first = run.logs.find(({ event }) => event === 'move.verified');
    if (first === undefined) throw new Error('nothing was compared');
    const others = run.logs.filter(({ container, atMs }) => container !== 'node2' || atMs < first.atMs);
    const verdictOf = (logs: readonly NodeLogLine[]) =>
      CHECKS.moves({ ...run, logs: [...others, ...logs] }).verdict;
    const sent = { ...first, atMs: first.atMs - 200, event: 'move.sent' };
    const unverified = { ...first, atMs: 40_000, event: 'move.unverified' };
    const trashed = { ...first, atMs: 40_100, event: 'move.source-trashed' };
    const ofAnother = { ...sent, fields: { ...sent.fields, copy: 'f-9' } };
    expect(verdictOf([sent, unverified, trashed])).toBe('valid');
    expect(verdictOf([unverified, trashed])).toBe('unknown');
    expect(verdictOf([ofAnother, unverified, trashed])).toBe('unknown');
    // The volume was where that copy had gone to.
    expect(verdictOf([sent, { ...unverified, atMs: 20_000 }, { ...trashed, atMs: 20_100 }])).toBe('unknown');
    expect(verdictOf([sent, trashed])).toBe('invalid');
  });

  it('accepts that a volume goes on to a third node', () => {
    expect(CHECKS.moves(movedOnRun().history.run()).verdict).toBe('valid');
  });

  it('accepts that nothing is compared of a volume that was deleted, but not before it is gone', () => {
    const dropped = (atMs: number) => {
      const { history } = drainedRun();
      history.at(atMs).log('node2', 'warn', 'orphan.trashed', { volume: VOLUME_ID });
      const run = history.at(15_000).remove(volumeKey(VOLUME_ID)).run();
      const steps = new Set(['move.verified', 'move.source-trashed']);
      return CHECKS.moves({ ...run, logs: run.logs.filter(({ event }) => !steps.has(event)) }).verdict;
    };
    expect(dropped(16_000)).toBe('valid');
    expect(dropped(12_000)).toBe('invalid');
  });

  it('accepts that a volume comes back', () => {
    const { history, volume, term } = movedRun();
    drains(history.at(29_000), 'node1');
    moves(history, volume, { atMs: 30_000, term, to: 'node2', cause: 'drain' });
    history.at(31_000).io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node2' });
    expect(CHECKS.moves(history.run()).verdict).toBe('valid');
  });
});

describe('told', () => {
  it('accepts that a consumer which lost its stream in a revision is told of all of it again', () => {
    const { history } = movedRun();
    const last = history.run().history.findLast((event) => event.type === 'told');
    if (last === undefined) throw new Error('nothing was told');
    const before = { lastEventId: String(Number(last.id) - 1), atMs: 20_000 };
    const open = { type: 'follow', phase: 'open', consumer: 'consumer1', node: 'node2', ...before } as const;
    const again = [open, { ...last, atMs: 20_001 }] as const;
    expect(CHECKS.told(history.record(again[0]).record(again[1]).run()).verdict).toBe('valid');
  });

  it('knows nothing where nobody followed the events', () => {
    const run = withHistory(original, (event) => (event.type === 'follow' ? undefined : event));
    expect(CHECKS.told(run).verdict).toBe('unknown');
  });
});
