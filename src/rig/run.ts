// A run: the whole experiment on one page. Start a cluster, record everything,
// perform the script, collect, judge, report, and leave nothing behind.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { createSeededRandom } from '../base/random.ts';
import { waitFor } from '../base/retry.ts';
import { VOLUMES_PREFIX } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import { sameRules } from '../model/export.ts';
import type { Volume } from '../model/volume.ts';
import { judge } from './checks/judge.ts';
import { createClients } from './clients.ts';
import { collectFinalState, collectInventories } from './collect.ts';
import type { Deployment } from './deployment.ts';
import { type Journal, openJournal, recordError } from './journal.ts';
import { perform } from './perform.ts';
import { LOGS_FOLDER, RUN_FILE, type RunFile, readRecordedRun } from './record-files.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import type { ScenarioResult } from './report/verdict.ts';
import { writeReports } from './reports.ts';
import type { Scenario } from './scenario.ts';
import { parseTopology, type Topology } from './topology.ts';

/** After the script everything must settle within this, plus a lease's life. */
const SETTLE_MS = 15_000;

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly folder: string;
  readonly runId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Brings the cluster up, in whichever mode. */
  readonly deploy: (options: DeployRequest) => Promise<Deployment>;
  /** Opens etcd at a URL, for observation only. */
  readonly openKv: (endpoint: string) => Kv;
  /** Whether a cluster may stay: never, when the verdict isn't valid, or always. */
  readonly keep: 'never' | 'on-failure' | 'always';
  readonly onProgress: (what: string) => void;
}

export interface DeployRequest {
  readonly topology: Topology;
  readonly runId: string;
  readonly folder: string;
  readonly absentAtStart: readonly string[];
  /** True for a cluster that is there for people: then nothing removes it but `rig down`. Default false. */
  readonly outlivesRig?: boolean;
  readonly signal: AbortSignal;
}

export interface RunResult extends ScenarioResult {
  readonly runId: string;
  /** True when the cluster was left up. */
  readonly kept: boolean;
}

/**
 * Runs one scenario. What the system under test does wrong ends up in the
 * verdict; only the rig's and the machine's own failures are thrown
 * (`machine`), and `aborted`, after the cluster is gone and the logs are saved.
 */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, seed, folder, runId, clock, signal, onProgress } = options;
  const topology = parseTopology(scenario.topology, `scenario ${scenario.name}`);
  const startedMs = clock.monotonicMs();
  makeFolder(folder);
  using journal = openJournal({ clock, folder });
  const header = runHeader({ ...options, topology, startedAtMs: clock.nowMs() - journal.atMs() });

  onProgress('starting the cluster');
  const absentAtStart = scenario.absentAtStart ?? [];
  const deployment = await options.deploy({ topology, runId, folder, absentAtStart, signal });
  let kept = false;
  try {
    await experiment({ ...options, deployment, journal, header });
    onProgress('judging');
    const run = await readRecordedRun(folder);
    const judged = judge(run, scenario.checks);
    kept = options.keep === 'always' || (options.keep === 'on-failure' && judged.verdict !== 'valid');
    const elapsedMs = clock.monotonicMs() - startedMs;
    const result: RunResult = { ...judged, scenario: scenario.name, seed, folder, elapsedMs, kept, runId };
    writeReports({ run, result });
    return result;
  } catch (error) {
    if (signal.aborted) throw new RigError('aborted', 'the run was interrupted', { cause: error });
    kept = options.keep !== 'never';
    if (kept) onProgress(`the cluster is kept; remove it with: npm run rig -- down --run ${runId}`);
    throw error;
  } finally {
    if (kept) {
      deployment.keep();
    } else {
      onProgress('removing the cluster');
      await deployment.teardown();
    }
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw recordError(folder, error);
  }
}

/** Performs the script and collects the evidence; the logs are saved whatever happens. */
async function experiment(
  context: RunOptions & {
    readonly deployment: Deployment;
    readonly journal: Journal;
    readonly header: RunHeader;
  },
): Promise<void> {
  const { scenario, seed, folder, clock, signal, deployment, journal, openKv, onProgress } = context;
  await using recorder = startRecorder({
    clock,
    journal,
    connect: async () => openKv(await deployment.etcd()),
  });
  try {
    const consumers = await Promise.all(
      deployment.topology.consumers.map(async (name) => [name, await deployment.address(name)] as const),
    );
    context.header.note({ consumers: Object.fromEntries(consumers) });
    const clients = createClients({ deployment, journal });
    const random = createSeededRandom(seed);
    const stage = { clock, random, deployment, recorder, journal, clients, signal };
    await perform(stage, { scenario, onStep: onProgress });
    onProgress('waiting for quiescence');
    await settle({ clock, recorder, topology: deployment.topology, signal });
    onProgress('collecting disks, exports and etcd');
    await collectInventories({ deployment, journal, label: 'final' });
    context.header.note({ etcdComplete: await finalState({ ...context, recorder }) });
  } finally {
    await deployment.saveLogs(join(folder, LOGS_FOLDER));
  }
}

/** Nothing is judged that is still on its way: waits until no volume is, or the time is up. */
async function settle(options: {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly topology: Topology;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, recorder, topology, signal } = options;
  const busy = (): readonly Volume[] =>
    [...recorder.keys()]
      .filter(([key]) => key.startsWith(VOLUMES_PREFIX))
      .map(([, { value }]) => JSON.parse(value) as Volume)
      .filter(
        (volume) => volume.state !== 'ready' || !sameRules(volume.actual?.exports ?? [], volume.exports),
      );
  try {
    await waitFor({
      clock,
      what: 'every volume to be ready with its exports applied, or gone',
      timeoutMs: SETTLE_MS + topology.settings.leaseTtlSeconds * 1000,
      signal,
      probe: async () => (busy().length === 0 ? true : undefined),
    });
  } catch (error) {
    // Not settling is for the checks to judge; they see the same state.
    if (!hasCode(error, 'timeout')) throw error;
  }
}

/** Answers whether every revision up to the final state was seen. */
async function finalState(
  context: RunOptions & {
    readonly deployment: Deployment;
    readonly journal: Journal;
    readonly recorder: Recorder;
  },
): Promise<boolean> {
  const { deployment, journal, recorder, openKv } = context;
  const kv = openKv(await deployment.etcd());
  try {
    const revision = await collectFinalState({ kv, journal });
    await recorder.caughtUp(revision, 5_000);
    return recorder.complete();
  } catch (error) {
    // etcd may be the very thing that is broken: then nobody saw the end, and the checks say so.
    if (hasCode(error, 'unavailable', 'timeout')) return false;
    throw error;
  } finally {
    await kv.close();
  }
}

interface RunHeader {
  /** Adds what became known, and writes run.json anew. */
  note(found: Partial<RunFile>): void;
}

function runHeader(
  options: RunOptions & { readonly topology: Topology; readonly startedAtMs: number },
): RunHeader {
  const { scenario, seed, runId, folder, topology, startedAtMs } = options;
  let header: RunFile = {
    scenario: scenario.name,
    seed,
    runId,
    topology,
    startedAtMs,
    checks: scenario.checks,
  };
  const note = (found: Partial<RunFile>): void => {
    header = { ...header, ...found };
    const path = join(folder, RUN_FILE);
    try {
      writeFileSync(path, `${JSON.stringify(header, undefined, 2)}\n`);
    } catch (error) {
      throw recordError(path, error);
    }
  };
  note({});
  return { note };
}
