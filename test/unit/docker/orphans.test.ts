import { describe, expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import { whyLeft } from '../../../src/cli/reap-orphans.ts';
import { listRuns, type RunOnEngine } from '../../../src/rig/docker/orphans.ts';

const RUN = 'dev.cobalt-rig.run';
const GUARD = 'dev.cobalt-rig.guarded-by';
const FILES = 'com.docker.compose.project.config_files';

/** An engine on which these are. */
function engineWith(options: {
  readonly containers?: readonly { name: string; labels: Readonly<Record<string, string>> }[];
  readonly networks?: readonly { name: string; labels: Readonly<Record<string, string>> }[];
  readonly running?: readonly string[];
}): Docker {
  const { containers = [], networks = [], running = [] } = options;
  return {
    listContainers: async (asked?: object) =>
      asked === undefined
        ? running.map((name) => ({ Names: [`/${name}`], Labels: {} }))
        : containers.map(({ name, labels }) => ({ Names: [`/${name}`], Labels: labels })),
    listNetworks: async () => networks.map(({ name, labels }) => ({ Name: name, Labels: labels })),
    listVolumes: async () => ({ Volumes: null }),
  } as unknown as Docker;
}

describe('the runs on an engine', () => {
  it('are told by all of their things, with whether their reaper is there', async () => {
    const docker = engineWith({
      containers: [
        {
          name: 'b-node1',
          labels: { [RUN]: 'b', [GUARD]: 'gone', [FILES]: '/elsewhere/runs/b/compose.yaml' },
        },
        { name: 'b-node1-links', labels: { [RUN]: 'b' } },
      ],
      networks: [
        { name: 'b_default', labels: { [RUN]: 'b', [GUARD]: 'gone' } },
        { name: 'a_default', labels: { [RUN]: 'a', [GUARD]: 'alive' } },
        { name: 'c_default', labels: { [RUN]: 'c' } },
      ],
      running: ['cobalt-rig-reaper-alive', 'somebody-elses'],
    });
    expect(await listRuns(docker)).toEqual([
      { runId: 'a', things: ['network a_default'], folder: undefined, isGuarded: true },
      {
        runId: 'b',
        things: ['container b-node1', 'container b-node1-links', 'network b_default'],
        folder: '/elsewhere/runs/b',
        isGuarded: false,
      },
      { runId: 'c', things: ['network c_default'], folder: undefined, isGuarded: undefined },
    ]);
  });
});

describe('what is left to itself', () => {
  const run = (isGuarded: boolean | undefined, runId = 'a'): RunOnEngine => ({
    runId,
    things: ['network a_default'],
    folder: '/runs/a',
    isGuarded,
  });

  it.each([
    ['a run that is going on', run(true), false, /its rig is at work/],
    ['one of which no label tells', run(undefined), false, /nothing tells .*; rig down --run a removes it/],
    ['one that was kept', run(false), true, /on purpose; rig down --run a removes it/],
    ['a cluster of rig up', run(false, 'up-mine'), true, /rig down --name mine removes it/],
    ['one whose folder is elsewhere', run(false), undefined, /\/runs\/a, which can't be read here/],
  ] as const)('is %s', (_, which, isKept, why) => {
    expect(whyLeft(which, isKept)).toMatch(why);
  });

  it('is nothing of a run whose rig and reaper are gone', () => {
    expect(whyLeft(run(false), false)).toBeUndefined();
  });
});
