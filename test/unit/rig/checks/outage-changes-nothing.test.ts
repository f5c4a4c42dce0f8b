import { describe, expect, it } from '@jest/globals';
import { outageChangesNothing } from '../../../../src/rig/checks/outage-changes-nothing.ts';
import type { Inventory, RecordedRun } from '../../../../src/rig/history.ts';
import { createHistory, OTHER_ID } from '../support/history.ts';
import { calmRun, outageRun, withHistory } from '../support/runs.ts';

/** Edits what node2 had during the outage. */
const during = (edit: (inventory: Inventory) => Inventory): RecordedRun =>
  withHistory(outageRun().history.run(), (event) =>
    event.type === 'inventory' && event.label === 'during-outage' && event.node === 'node2'
      ? { ...event, inventory: edit(event.inventory) }
      : event,
  );

const withFiles = (files: Readonly<Record<string, string>>) =>
  during((inventory) => ({
    ...inventory,
    volumes: inventory.volumes.map((volume) => ({ ...volume, files })),
  }));

describe('outage-changes-nothing', () => {
  it('accepts nodes that stayed as they were, with files that clients added', () => {
    expect(outageChangesNothing(outageRun().history.run()).verdict).toBe('valid');
  });

  it.each<readonly [string, RegExp, (inventory: Inventory) => Inventory]>([
    ['a subvolume that is gone', /subvolume .* is gone/, (inventory) => ({ ...inventory, volumes: [] })],
    [
      'a subvolume that appeared',
      /subvolume .* appeared/,
      (inventory) => ({
        ...inventory,
        volumes: [...inventory.volumes, { id: OTHER_ID, quotaBytes: 1, usedBytes: 0, files: {} }],
      }),
    ],
    [
      'another quota',
      /quota of .* went from 2147483648 to 1/,
      (inventory) => ({
        ...inventory,
        volumes: inventory.volumes.map((volume) => ({ ...volume, quotaBytes: 1 })),
      }),
    ],
    ['an export that is gone', /export of .* is gone/, (inventory) => ({ ...inventory, exports: [] })],
    [
      'other clients',
      /other clients/,
      (inventory) => ({ ...inventory, exports: inventory.exports.map(({ id }) => ({ id, clients: [] })) }),
    ],
  ])('rejects %s', (_what, reason, edit) => {
    const verdict = outageChangesNothing(during(edit));
    expect(verdict.verdict).toBe('invalid');
    expect(verdict.counterExample?.[0]).toMatch(reason);
  });

  it('rejects a file that changed or went', () => {
    expect(outageChangesNothing(withFiles({ one: 'xx' })).counterExample?.[0]).toMatch(
      /one went from aa to xx/,
    );
    expect(outageChangesNothing(withFiles({})).counterExample?.[0]).toMatch(/one went from aa to nothing/);
  });

  it('rejects a file that nobody wrote, and one that is somebody else’s now', () => {
    const now = { one: 'aa', two: 'bb' };
    expect(outageChangesNothing(withFiles({ ...now, old: 'cc' })).counterExample).toEqual([
      expect.stringMatching(/old appeared, and no client had written it/),
    ]);
    const owned = during((inventory) => ({
      ...inventory,
      volumes: inventory.volumes.map((volume) => ({ ...volume, owners: { one: 65_534 } })),
    }));
    expect(outageChangesNothing(owned).counterExample).toEqual([
      expect.stringMatching(/one went from user 0 to user 65534/),
    ]);
  });

  it('lets a file hold what a client wrote meanwhile', () => {
    const { history } = outageRun();
    const over = { kind: 'nfs-write', consumer: 'consumer1', sha256: 'cc' } as const;
    history.at(17_500).io(over).at(20_900).inventory('during-outage', 'node1');
    const volumes = (sha256: string) => history.wanted('node2', { one: sha256, two: 'bb' }).volumes;
    const holding = (sha256: string) =>
      withHistory(history.run(), (event) =>
        event.type === 'inventory' && event.label === 'during-outage' && event.node === 'node2'
          ? { ...event, inventory: { ...event.inventory, volumes: volumes(sha256) } }
          : event,
      );
    expect(outageChangesNothing(holding('cc')).verdict).toBe('valid');
    expect(outageChangesNothing(holding('aa')).verdict).toBe('valid');
  });

  it('knows nothing without both inventories, or without a volume in them', () => {
    expect(outageChangesNothing(calmRun().history.run()).verdict).toBe('unknown');
    const half = createHistory().inventory('before-outage', 'node1').inventory('before-outage', 'node2');
    expect(outageChangesNothing(half.inventory('during-outage', 'node1').run()).reason).toMatch(/node2/);
    expect(outageChangesNothing(half.inventory('during-outage', 'node2').run()).verdict).toBe('unknown');
  });
});
