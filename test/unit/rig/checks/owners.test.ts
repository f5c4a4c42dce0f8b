import { describe, expect, it } from '@jest/globals';
import * as change from '../../../../src/model/changes.ts';
import type { ExportRule } from '../../../../src/model/export.ts';
import { access } from '../../../../src/rig/checks/access.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { by, CONSUMERS, createHistory, VOLUME_ID } from '../support/history.ts';
import { ORDER, withHistory } from '../support/runs.ts';

type Squash = ExportRule['squash'];

const rules = (squash: Squash): readonly ExportRule[] => [
  { host: CONSUMERS.consumer1, access: 'rw', squash },
];

/** A user writes a file under these rules, which others follow after so long; the disk says whose it is. */
function runWith(file: {
  readonly squash: Squash;
  readonly uid: number;
  readonly owner: number | undefined;
  readonly later?: { readonly squash: Squash; readonly afterMs: number };
}): RecordedRun {
  const { squash, uid, owner, later } = file;
  const history = createHistory();
  const ordered = history.write(
    change.newVolume(VOLUME_ID, { ...ORDER, exports: rules(squash) }, by('api', 'node1')),
  );
  const ready = history.write(change.completed({ ...ordered, node: 'node2' }, by('agent', 'node2')));
  history.at(5_000).io({ kind: 'nfs-write', consumer: 'consumer1', server: 'node2', uid });
  if (later !== undefined)
    history
      .at(5_000 + later.afterMs)
      .write(change.reexported(ready, rules(later.squash), by('api', 'node1')));
  return withHistory(history.at(20_000).settles({ one: 'aa' }).run(), (event) => {
    if (event.type !== 'inventory' || owner === undefined) return event;
    const owners = owner === 0 ? {} : { one: owner };
    return {
      ...event,
      inventory: { ...event.inventory, volumes: event.inventory.volumes.map((one) => ({ ...one, owners })) },
    };
  });
}

describe('access, of whose files are', () => {
  it.each<readonly [Squash, number, number]>([
    ['none', 0, 0],
    ['none', 1_000, 1_000],
    ['root', 0, 65_534],
    ['root', 1_000, 1_000],
    ['all', 0, 65_534],
    ['all', 1_000, 65_534],
  ])('with squash %s takes user %d for %d, and for nobody else', (squash, uid, owner) => {
    expect(access(runWith({ squash, uid, owner }))).toMatchObject({
      verdict: 'valid',
      reason: expect.stringContaining('1 file of whom'),
    });
    for (const other of [0, 1_000, 65_534].filter((one) => one !== owner)) {
      expect(access(runWith({ squash, uid, owner: other }))).toMatchObject({
        verdict: 'invalid',
        reason: `${VOLUME_ID}/one on node2 belongs to user ${other}, by its rules it is user ${owner}'s`,
        counterExample: [expect.stringContaining(`consumer1 writes it as user ${uid}`)],
      });
    }
  });

  it('leaves open what either of two rules may have decided, and what nobody looked at', () => {
    const soon = { squash: 'all', afterMs: 500 } as const;
    const late = { squash: 'all', afterMs: 5_000 } as const;
    expect(access(runWith({ squash: 'none', uid: 0, owner: 65_534, later: soon })).verdict).toBe('valid');
    expect(access(runWith({ squash: 'none', uid: 0, owner: 65_534, later: late })).verdict).toBe('invalid');
    expect(access(runWith({ squash: 'none', uid: 0, owner: undefined })).reason).toMatch(/0 files of whom/);
  });
});
