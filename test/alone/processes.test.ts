// Clusters of processes: etcd's own program and the daemon's real processes, without Docker.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { openProcesses } from '../../src/cluster/processes.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import { FOLDER_PREFIX } from '../../src/process/place.ts';
import { processesOfRun } from '../../src/process/processes.ts';
import type { Deployment } from '../../src/rig/deployment.ts';
import { awaitReady, type Mode } from '../../src/rig/lifecycle.ts';
import { HISTORY_FILE, RUN_FILE, type RunFile, VERDICT_FILE } from '../../src/rig/record-files.ts';
import type { Scenario } from '../../src/rig/scenario.ts';
import { exportCreated } from '../../src/rig/scenarios/export-created.ts';
import { faultFamily } from '../../src/rig/scenarios/fault-family.ts';
import { volumeMoved } from '../../src/rig/scenarios/volume-moved.ts';
import { parseTopology } from '../../src/rig/topology.ts';
import { playValid } from '../support/played.ts';

const clock = createSystemClock();
const SCENARIO_MS = 120_000;

let mode: Mode;
let out: string;
beforeAll(async () => {
  out = join(ROOT_FOLDER, 'runs', `process-test-${newRunId()}`);
  mode = await openProcesses(clock, () => undefined);
});
afterAll(async () => {
  await mode?.[Symbol.asyncDispose]();
});

async function run(scenario: Scenario): Promise<void> {
  const runId = newRunId();
  const result = await playValid({
    scenario,
    mode: 'process',
    folder: join(out, `${scenario.name}-${runId}`),
    runId,
    clock,
    signal: AbortSignal.timeout(SCENARIO_MS),
    deploy: mode.deploy,
  });
  expect(remains(runId)).toEqual([]);
  await rm(result.folder, { recursive: true });
}

/** What there is of a run: its processes, and its folder. */
const remains = (runId: string): readonly string[] => [
  ...processesOfRun(runId).map((pid) => `process ${pid}`),
  ...readdirSync(tmpdir()).filter((name) => name.startsWith(FOLDER_PREFIX) && name.endsWith(runId)),
];

describe('scenarios on processes', () => {
  it(
    'come to the same as elsewhere, two clusters side by side',
    async () => {
      await Promise.all([run(volumeMoved), run(exportCreated)]);
    },
    SCENARIO_MS + 60_000,
  );

  it(
    'have faults of every family that bite and heal',
    () =>
      run(
        faultFamily({
          name: 'faults-of-processes',
          title: 'One fault of each kind that processes have in a way of their own',
          topology: {
            nodes: [
              { name: 'node1', labels: { zone: 'a' }, clock: 'own' },
              { name: 'node2', labels: { zone: 'b' }, disk: 'breakable' },
            ],
            consumers: ['consumer1'],
            settings: { leaseTtlSeconds: 3, rebalancePercent: 100, failpointSwitches: true },
          },
          faults: [
            {
              inject: { fault: 'failpoint', on: 'leader', failpoints: 'engine/before-transact=1*error' },
            },
            { inject: { fault: 'pause', on: 'node1', role: 'agent' } },
            { inject: { fault: 'out-of-memory', on: 'node2' } },
            { inject: { fault: 'partition', shape: 'isolate', on: 'node2' } },
            { inject: { fault: 'half-open', on: 'etcd' } },
            { inject: { fault: 'clock-offset', on: 'node1', offsetMs: 600_000 } },
            { inject: { fault: 'disk-errors', on: 'node2' } },
          ],
        }),
      ),
    SCENARIO_MS + 60_000,
  );
});

describe('a cluster of processes', () => {
  const deployed = async (topology: unknown): Promise<Deployment> => {
    const deployment = await mode.deploy({
      topology: parseTopology(topology, 'this test'),
      runId: newRunId(),
      folder: out,
      absentAtStart: [],
      signal: new AbortController().signal,
    });
    const { signal } = new AbortController();
    await awaitReady({ deployment, clock, timeoutMs: 30_000, signal });
    return deployment;
  };

  it('has links between the members of its etcd, too, each direction by itself', async () => {
    await using cluster = await deployed({ etcd: { members: 3 }, nodes: [{ name: 'node1' }] });
    const { store, links } = cluster;
    const becomes = (what: string, isIll: boolean): Promise<true> =>
      waitFor({
        clock,
        what: `etcd2 to ${what}`,
        timeoutMs: 30_000,
        probe: async () => ((await store.ailment('etcd2')) !== undefined) === isIll || undefined,
      });
    await becomes('answer', false);
    const effect = { does: 'drop' } as const;
    await links.set(
      'cut',
      ['etcd1', 'etcd3'].flatMap((other) => [
        { from: 'etcd2', to: other, effect },
        { from: other, to: 'etcd2', effect },
      ]),
    );
    await becomes('have no quorum', true);
    expect(await store.ailment('etcd1')).toBeUndefined();
    await links.set('cut', []);
    await becomes('answer again', false);
  }, 90_000);

  it('goes with its mode', async () => {
    const other = await openProcesses(clock, () => undefined);
    const runId = newRunId();
    await other.deploy({
      topology: parseTopology({ nodes: [{ name: 'node1' }] }, 'this test'),
      runId,
      folder: out,
      absentAtStart: [],
      signal: new AbortController().signal,
    });
    expect(processesOfRun(runId).length).toBeGreaterThan(1);
    await other[Symbol.asyncDispose]();
    expect(remains(runId)).toEqual([]);
  }, 60_000);
});

describe('a rig that is ended in the middle of a run on processes', () => {
  let folder: string;
  let rig: ChildProcess;
  let exited: Promise<number | null>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rig-'));
    const args = ['run', 'etcd-down-at-runtime', '--mode', 'process', '--out', folder];
    rig = spawn(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...args], {
      detached: true,
      stdio: 'ignore',
    });
    exited = new Promise((resolve) => rig.once('exit', resolve));
  });
  afterEach(() => {
    rig.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const runReached = (text: string): Promise<string> =>
    waitFor({
      clock,
      what: `the run to reach '${text}'`,
      timeoutMs: 60_000,
      intervalMs: 10,
      probe: async () => {
        const [name] = readdirSync(folder);
        if (name === undefined) return undefined;
        const { runId } = JSON.parse(readFileSync(join(folder, name, RUN_FILE), 'utf8')) as RunFile;
        const history = readFileSync(join(folder, name, HISTORY_FILE), 'utf8');
        return history.includes(text) && processesOfRun(runId).length > 0 ? runId : undefined;
      },
    });
  const gone = (runId: string): Promise<true> =>
    waitFor({
      clock,
      what: `nothing of run ${runId} to be left`,
      timeoutMs: 15_000,
      probe: async () => remains(runId).length === 0 || undefined,
      describe: () => remains(runId).join(', '),
    });

  it('cleans up after Ctrl-C, and exits with 3', async () => {
    const runId = await runReached('nfs-write');
    process.kill(-(rig.pid as number), 'SIGINT');
    expect(await exited).toBe(3);
    expect(remains(runId)).toEqual([]);
    expect(readdirSync(join(folder, readdirSync(folder)[0] as string))).not.toContain(VERDICT_FILE);
  }, 90_000);

  it.each(['', 'one engine leads', '"fault":"kill"'])(
    "is cleaned up after when it is killed once its history has '%s'",
    async (moment) => {
      const runId = await runReached(moment);
      rig.kill('SIGKILL');
      await exited;
      await gone(runId);
    },
    90_000,
  );
});
