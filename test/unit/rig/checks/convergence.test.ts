import { describe, expect, it } from '@jest/globals';
import { volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { convergence } from '../../../../src/rig/checks/convergence.ts';
import type { Inventory, RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { calmRun, ORDER, withHistory } from '../support/runs.ts';

/** Edits what node2, which has the volume, was found to have. */
const finding = (edit: (inventory: Inventory) => Inventory): RecordedRun =>
  withHistory(calmRun().history.run(), (event) =>
    event.type === 'inventory' && event.node === 'node2'
      ? { ...event, inventory: edit(event.inventory) }
      : event,
  );

describe('convergence', () => {
  it('accepts nodes that have what etcd says', () => {
    expect(convergence(calmRun().history.run())).toMatchObject({
      verdict: 'valid',
      reason: '1 ready volume on 2 nodes as etcd says; no orphans',
    });
  });

  it.each<readonly [string, RegExp, (inventory: Inventory) => Inventory]>([
    ['a missing subvolume', /there is no subvolume/, (inventory) => ({ ...inventory, volumes: [] })],
    [
      'another quota',
      /has a quota of null bytes, requested are 2147483648/,
      (inventory) => ({
        ...inventory,
        volumes: inventory.volumes.map((volume) => ({ ...volume, quotaBytes: null })),
      }),
    ],
    [
      'a missing export',
      /is exported to nobody, wanted 10\.0\.0\.11 rw none/,
      (inventory) => ({ ...inventory, exports: [] }),
    ],
    [
      'an export to others',
      /is exported to 10\.0\.0\.11 ro none/,
      (inventory) => ({
        ...inventory,
        exports: inventory.exports.map(({ id }) => ({
          id,
          clients: [{ host: '10.0.0.11', access: 'RO', squash: 'None' }],
        })),
      }),
    ],
    [
      'an orphan subvolume',
      /subvolume v00000000000000b2 is an orphan/,
      (inventory) => ({
        ...inventory,
        volumes: [...inventory.volumes, { id: OTHER_ID, quotaBytes: 1, usedBytes: 0, files: {} }],
      }),
    ],
    [
      'an orphan export',
      /export v00000000000000b2 is an orphan/,
      (inventory) => ({ ...inventory, exports: [...inventory.exports, { id: OTHER_ID, clients: [] }] }),
    ],
  ])('rejects %s', (_what, line, edit) => {
    const verdict = convergence(finding(edit));
    expect(verdict.verdict).toBe('invalid');
    expect(verdict.counterExample?.join('\n')).toMatch(line);
  });

  it('rejects a ready volume whose exports or size were never applied', () => {
    const { history, volume } = calmRun();
    history.at(16_000).write({ ...volume, exports: [] });
    history.settles();
    expect(convergence(history.run()).counterExample?.[0]).toMatch(/etcd has .* applied, wanted $/);
    const other = calmRun();
    other.history.at(16_000).write({ ...other.volume, requested: { reserved_size: 3, constraints: {} } });
    other.history.settles();
    expect(convergence(other.history.run()).counterExample?.[0]).toMatch(/ready with 2 GiB, requested are 3/);
  });

  it('does not ask after a node that a fault took down for good', () => {
    const { history } = calmRun();
    const run = withHistory(history.at(14_500).fault('kill', 'node1').run(), (event) =>
      event.type === 'inventory' && event.node === 'node1' ? undefined : event,
    );
    expect(convergence(run).verdict).toBe('valid');
  });

  it('knows nothing without a final state, of a node not looked into, or without volumes', () => {
    expect(convergence(createHistory().run()).verdict).toBe('unknown');
    const blind = withHistory(calmRun().history.run(), (event) =>
      event.type === 'inventory' ? undefined : event,
    );
    expect(convergence(blind).reason).toMatch(/no final inventory of node1, node2/);
    expect(convergence(createHistory().settles().run()).verdict).toBe('unknown');
  });

  it('knows nothing when none of the volumes that there are is ready', () => {
    const history = createHistory();
    history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
    expect(convergence(history.at(9_000).settles().run())).toMatchObject({
      verdict: 'unknown',
      reason: 'none of 1 volume was ready on a node that was looked into',
    });
  });

  it('compares disks with an etcd whose volumes have all been deleted', () => {
    const { history } = calmRun();
    const run = history.at(20_000).remove(volumeKey(VOLUME_ID)).at(30_000).settles().run();
    expect(convergence(run)).toMatchObject({
      verdict: 'valid',
      reason: '0 ready volumes on 2 nodes as etcd says; no orphans',
    });
    const left = withHistory(run, (event) =>
      event.type === 'inventory' && event.atMs >= 30_000
        ? { ...event, inventory: { ...event.inventory, exports: [{ id: VOLUME_ID, clients: [] }] } }
        : event,
    );
    expect(convergence(left).verdict).toBe('invalid');
  });
});
