import { describe, expect, it } from '@jest/globals';
import { specKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { noOvercommit } from '../../../../src/rig/checks/no-overcommit.ts';
import { by, createHistory, OTHER_ID, VOLUME_ID } from '../support/history.ts';
import { calmRun, ORDER } from '../support/runs.ts';

/** Gives node1 (8 GiB) a volume of each size. */
const placed = (...sizesGib: readonly number[]) => {
  const history = createHistory();
  const term = history.elects('node1', '21');
  for (const [index, gib] of sizesGib.entries()) {
    const order = { ...ORDER, requested: { reserved_size: gib, constraints: {} } };
    const volume = history.write(
      change.newVolume([VOLUME_ID, OTHER_ID][index] ?? '', order, by('api', 'node1')),
    );
    history.write(change.assigned(volume, 'node1', by('engine', 'node1', term)));
  }
  return history;
};

describe('no-overcommit', () => {
  it('accepts a node that is full to the brim', () => {
    expect(noOvercommit(placed(4, 4).run()).verdict).toBe('valid');
    expect(noOvercommit(calmRun().history.run()).verdict).toBe('valid');
  });

  it('rejects more than the node has, and lists what takes the room', () => {
    const verdict = noOvercommit(placed(4, 5).run());
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      reason: 'node1 has 8 GiB, and 9 GiB are reserved on it',
    });
    expect(verdict.counterExample).toContain(`${OTHER_ID} reserves 5 GiB on node1`);
  });

  it('goes by the capacity in etcd', () => {
    const spec = { volume_path: '/srv', capacity: 3, labels: {}, draining: false };
    const history = placed(4).put(specKey('node1'), spec);
    expect(noOvercommit(history.run()).verdict).toBe('invalid');
    const roomy = createHistory().put(specKey('node1'), { ...spec, capacity: 100 });
    expect(
      noOvercommit({ ...placed(50).run(), etcd: [...roomy.run().etcd, ...placed(50).run().etcd] }).verdict,
    ).toBe('valid');
  });

  it('accepts a capacity that was too little and was put back, and none that stays', () => {
    const spec = (capacity: number) => ({ volume_path: '/srv', capacity, labels: {}, draining: false });
    const lowered = (...capacities: readonly number[]) => {
      const history = placed(4);
      for (const capacity of capacities) history.put(specKey('node1'), spec(capacity));
      return noOvercommit(history.run()).verdict;
    };
    expect([lowered(3, 8), lowered(6, 4), lowered(3, 5), lowered(8, 3)]).toEqual([
      'valid',
      'valid',
      'invalid',
      'invalid',
    ]);
  });

  it('judges a revision only after the last of its events', () => {
    const run = placed(4, 5).run();
    const last = run.etcd.at(-1);
    // One transaction takes a volume away and puts the other there.
    const together = [
      ...run.etcd.slice(0, -1),
      ...(last === undefined
        ? []
        : [last, { ...last, kind: 'delete' as const, key: last.key.replace(OTHER_ID, VOLUME_ID) }]),
    ];
    expect(noOvercommit({ ...run, etcd: together }).verdict).toBe('valid');
  });

  it('knows nothing when no volume got a node', () => {
    const history = createHistory();
    history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
    expect(noOvercommit(history.run()).verdict).toBe('unknown');
  });
});
