// A recorded run at any of its moments.

import { describe, expect, it } from '@jest/globals';
import { createReplay } from '../../../../src/rig/console/replay.ts';
import { outageRun } from '../support/runs.ts';

const cluster = { is: 'cluster', kind: 'run', title: 't', folder: 'f', limits: 'over', gone: null } as const;

describe('a replay', () => {
  const run = outageRun().history.run();
  const replay = createReplay({ run, verdicts: [], cluster });
  const { stepsMs, data } = replay.timeline;

  it('begins with nothing, and ends with all that the run had', () => {
    expect(replay.at(0)).toMatchObject({ revision: 0, story: [] });
    const end = replay.at(data.endMs);
    expect(end.revision).toBe(run.etcd.at(-1)?.revision);
    expect(end.items).toMatchObject({
      cluster,
      leader: { is: 'leader' },
      'member:node1': { state: 'running' },
    });
  });

  it('has etcd as it was, and what was broken then, at each step', () => {
    for (const atMs of stepsMs) {
      const { revision, items } = replay.at(atMs);
      expect(revision).toBe(run.etcd.findLast((event) => event.atMs <= atMs)?.revision ?? 0);
      const isDown = Object.values(items).some(
        (item) => item.is === 'member' && item.kind === 'etcd' && item.state !== 'running',
      );
      const isTold = Object.values(items).some((item) => item.is === 'fault');
      expect({ atMs, isDown }).toEqual({ atMs, isDown: isTold });
    }
    expect(
      stepsMs.some((atMs) => Object.values(replay.at(atMs).items).some(({ is }) => is === 'fault')),
    ).toBe(true);
  });

  it('tells nothing before it has happened', () => {
    for (const atMs of stepsMs) {
      const { story, logs } = replay.at(atMs);
      for (const line of [...story, ...logs]) expect(line.atMs).toBeLessThanOrEqual(atMs);
    }
    expect(replay.at(data.endMs).story.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('leads'),
    );
  });
});
