// Breaks one thing at a time in a run that is valid, in ways that a real bug
// would, and expects some check to see it. No check is named: whichever it is.

import { describe, expect, it } from '@jest/globals';
import { LEADER_KEY, nodeKey } from '../../../../src/kv/keys.ts';
import { CHECK_NAMES } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { outageRun, withEtcd, withHistory, withVolume } from '../support/runs.ts';

const original = outageRun().history.run();
/** They have tests of their own: mutations-moves.test.ts, mutations-calls.test.ts, watch.test.ts and faults.test.ts. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'moves',
  'rebalance-converges',
  'told',
  'clones',
  'linearizable',
  'watch',
  'faults',
]);
const NAMES = CHECK_NAMES.filter((name) => !ELSEWHERE.has(name));

/** Edits the final inventory of node2, which has the volume. */
const finalDisk = (edit: (inventory: { volumes: readonly object[]; exports: readonly object[] }) => object) =>
  withHistory(original, (event) =>
    event.type === 'inventory' && event.label === 'final' && event.node === 'node2'
      ? { ...event, inventory: { ...event.inventory, ...edit(event.inventory) } }
      : event,
  );

const BUGS: Readonly<Record<string, () => RecordedRun>> = {
  'the volume skips the engine': () => withVolume(original, 1, (volume) => ({ ...volume, state: 'ready' })),
  'a write carries an old term': () =>
    withVolume(original, 1, (volume) => {
      const writer = { ...volume.control.writer, term: 3 };
      return { ...volume, control: { ...volume.control, writer } };
    }),
  'the scheduler ignores labels': () => withVolume(original, 1, (volume) => ({ ...volume, node: 'node1' })),
  'the scheduler ignores room': () =>
    withVolume(original, 1, (volume) => ({
      ...volume,
      requested: { ...volume.requested, reserved_size: 100 },
    })),
  'the engine moves a volume that has data': () =>
    withVolume(original, 4, (volume) => ({ ...volume, node: 'node1' })),
  'a stored value is cut short': () =>
    withEtcd(original, (event, index) =>
      index === 7 ? { ...event, value: event.value?.slice(0, -1) ?? '' } : event,
    ),
  'the second leader does not wait for the first': () =>
    withEtcd(original, (event) => (event.key === LEADER_KEY && event.kind === 'delete' ? undefined : event)),
  'a deposed leader goes on believing': () => ({
    ...original,
    logs: original.logs.filter((line) => line.event !== 'engine.deposed'),
  }),
  'an agent registers anew under another lease': () =>
    withEtcd(original, (event, index) =>
      index === 6 ? { ...event, key: nodeKey('node1'), lease: '99' } : event,
    ),
  'the agent forgets the quota': () =>
    finalDisk(({ volumes }) => ({ volumes: volumes.map((volume) => ({ ...volume, quotaBytes: null })) })),
  'the agent forgets the export': () => finalDisk(() => ({ exports: [] })),
  'the agent leaves an export behind': () =>
    finalDisk(({ exports }) => ({ exports: [...exports, { id: OTHER_ID, clients: [] }] })),
  'the agent deletes on an empty list': () => finalDisk(() => ({ volumes: [], exports: [] })),
  'a node makes a volume of another, and throws it away at once': () =>
    withHistory(original, (event) =>
      event.type === 'inventory' && event.node === 'node1'
        ? { ...event, inventory: { ...event.inventory, trash: [`${VOLUME_ID}.1764000000000`] } }
        : event,
    ),
  'a role dies over and over': () => ({
    ...original,
    logs: [
      ...original.logs,
      {
        atMs: 26_000,
        container: 'node2',
        level: 'info',
        event: 'role.exited',
        fields: { role: 'api', pid: 57, code: 1, signal: null },
      },
    ],
  }),
  'clients hang while etcd is away': () =>
    withHistory(original, (event) =>
      event.type === 'call' && event.phase === 'ok' && event.atMs > 17_050 && event.atMs < 22_000
        ? { ...event, phase: 'info' }
        : event,
    ),
  'a file is lost': () =>
    finalDisk(({ volumes }) => ({ volumes: volumes.map((volume) => ({ ...volume, files: {} })) })),
  'a resize is acknowledged before it is done': () =>
    finalDisk(({ volumes }) => ({
      volumes: volumes.map((volume) => ({ ...volume, quotaBytes: 1024 ** 3 })),
    })),
  'the NFS server lets anybody in': () =>
    withHistory(original, (event) => {
      if (event.type !== 'call' || event.refused !== true) return event;
      const { refused: _refused, ...rest } = event;
      return { ...rest, phase: 'ok', sha256: 'aa' };
    }),
  'the NFS server lets nobody in': () =>
    withHistory(original, (event) =>
      event.type === 'call' && event.phase === 'ok' && event.operation.kind !== 'http'
        ? { ...event, phase: 'fail', refused: true }
        : event,
    ),
  'a read returns rubbish': () =>
    withHistory(original, (event) =>
      event.type === 'call' && event.operation.kind === 'nfs-read' && event.phase === 'ok'
        ? { ...event, sha256: 'rubbish' }
        : event,
    ),
  'a lease is never revoked': () =>
    withHistory(original, (event) =>
      event.type === 'final-state' ? { ...event, leases: [...event.leases, '77', '78'] } : event,
    ),
  'a daemon crashes': () => ({
    ...original,
    logs: [
      ...original.logs,
      { atMs: 1, container: 'node1', level: 'error', event: 'unhandledRejection', fields: {} },
    ],
  }),
  'a bound is missed': () =>
    withHistory(original, (event) => (event.type === 'expectation' ? { ...event, measuredMs: 9999 } : event)),
};

describe('a valid run with one thing broken', () => {
  it('was valid', () => {
    expect(judge(original, NAMES).verdict).toBe('valid');
  });

  it.each(Object.entries(BUGS))('is invalid when %s', (_bug, broken) => {
    const { verdict, verdicts } = judge(broken(), NAMES);
    expect(verdict).toBe('invalid');
    for (const found of verdicts.filter((each) => each.verdict === 'invalid')) {
      expect(found.counterExample?.length).toBeGreaterThan(0);
    }
  });

  it('is never valid when any of the events of etcd is missing, or any completion of a call', () => {
    for (const missing of [...original.etcd, ...original.history]) {
      if ('type' in missing && missing.type !== 'call') continue;
      const etcd = original.etcd.filter((event) => event !== missing);
      const history = original.history.filter((event) => event !== missing);
      expect(judge({ ...original, etcd, history }, NAMES).verdict).not.toBe('valid');
    }
  });
});
