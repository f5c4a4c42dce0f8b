// A run: the whole experiment on one page. Start a cluster, record everything,
// perform the script, collect, judge, report, and leave nothing behind.

import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { createSeededRandom } from '../base/random.ts';
import type { Kv } from '../kv/kv.ts';
import { FINAL_LABEL } from './checks/final.ts';
import { judge } from './checks/judge.ts';
import { createClients } from './clients.ts';
import { collectFinalState, collectInventories } from './collect.ts';
import type { Deployment } from './deployment.ts';
import type { RunMode } from './history.ts';
import type { Journal } from './journal.ts';
import type { LogRecord } from './log-record.ts';
import { type Machine, watchMachine } from './machine.ts';
import { perform } from './perform.ts';
import { LOGS_FOLDER, readLogRecords } from './record-files.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { glanceOf } from './report/glance.ts';
import type { ScenarioResult } from './report/verdict.ts';
import { writeReportSoFar, writeReports } from './reports.ts';
import { type RunRecord, recordInMemory, recordOnDisk } from './run-record.ts';
import type { Scenario } from './scenario.ts';
import { settle } from './settle.ts';
import { etcdMembers, parseTopology, type Topology } from './topology.ts';

/** A wait that ends at once unless the recorder is broken, or the machine starved. */
const CAUGHT_UP_WITHIN_MS = 30_000;

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly folder: string;
  readonly runId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Brings the cluster up, in whichever mode. */
  readonly deploy: (options: DeployRequest) => Promise<Deployment>;
  /** For the record, where it isn't containers. */
  readonly mode?: RunMode;
  /**
   * Does the experiment, from the first call to the last look: where the mode has a time of its own, it
   * passes in here and nowhere else. Default: as it is.
   */
  readonly conduct?: (experiment: () => Promise<void>) => Promise<void>;
  /**
   * `always` (default), with every event on disk as it happens. All others are for runs that can be had again, in modes
   * that keep logs in memory, too (Deployment.logRecords): nothing is written before the experiment is over, and
   * reports only where there is something to report. `when-over`: the record then is; `unless-valid`: where there is
   * something to report; `never`: nothing at all.
   */
  readonly keepsRecord?: KeepsRecord;
  /** Opens etcd at its members' URLs, for observation only. */
  readonly openKv: (endpoints: readonly string[]) => Kv;
  /** Whether a cluster may stay: never, when the verdict isn't valid, or always. */
  readonly keep: 'never' | 'on-failure' | 'always';
  readonly onProgress: (what: string) => void;
  /**
   * Given every line that members log: as it is printed, or, where the mode tells only then, in the end, of a run whose
   * record is kept. Default: nobody is.
   */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Whose load is recorded. Default: that of the machine that this runs on. */
  readonly machine?: Machine;
}

export type KeepsRecord = 'always' | 'when-over' | 'unless-valid' | 'never';

export interface DeployRequest {
  readonly topology: Topology;
  readonly runId: string;
  readonly folder: string;
  readonly absentAtStart: readonly string[];
  /** True for a cluster that people will look at by Docker's own means, once it is kept. Default false. */
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
 * (`machine`), and `aborted`, after the cluster is gone, and the logs and the
 * report of as much as was recorded are saved.
 */
export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, seed, folder, runId, clock, signal, onProgress } = options;
  const topology = parseTopology(scenario.topology, `scenario ${scenario.name}`);
  const startedMs = clock.monotonicMs();
  const { keepsRecord = 'always' } = options;
  using record = (keepsRecord === 'always' ? recordOnDisk : recordInMemory)({ ...options, topology });
  const { journal, header } = record;
  using watch = watchMachine({ clock, journal, ...(options.machine && { machine: options.machine }) });
  onProgress('starting the cluster');
  const absentAtStart = scenario.absentAtStart ?? [];
  const deployment = await options.deploy({ topology, runId, folder, absentAtStart, signal });
  const following = options.onLog && deployment.followLogs?.(options.onLog);
  let kept = false;
  try {
    const conduct = options.conduct ?? ((work) => work());
    await conduct(() => experiment({ ...options, deployment, record }));
    watch[Symbol.dispose]();
    onProgress('judging');
    const run = await record.recorded();
    const judged = judge(run, scenario.checks);
    kept = options.keep === 'always' || (options.keep === 'on-failure' && judged.verdict !== 'valid');
    const elapsedMs = clock.monotonicMs() - startedMs;
    const { durationMs, mode, isGiven } = run;
    const about = { scenario: scenario.name, seed, durationMs, mode, isGiven, folder, elapsedMs };
    const isTold = keepsRecord === 'always' || (keepsRecord !== 'never' && judged.verdict !== 'valid');
    const told = isTold && { glance: glanceOf(run, judged.verdicts) };
    const result: RunResult = { ...judged, ...about, ...told, kept, runId };
    if (isTold || keepsRecord === 'when-over') record.save();
    if (isTold) writeReports({ run, result });
    return result;
  } catch (error) {
    if (keepsRecord !== 'never')
      await reportSoFar({ ...options, record, error, elapsedMs: clock.monotonicMs() - startedMs });
    if (signal.aborted) throw new RigError('aborted', 'the run was interrupted', { cause: error });
    kept = options.keep !== 'never';
    if (kept) onProgress(`the cluster is kept; remove it with: rig down --run ${runId}`);
    throw error;
  } finally {
    await following?.end();
    if (following === undefined) await handOverLogs(folder, options.onLog);
    if (kept) {
      header.note({ kept });
      deployment.keep();
    } else {
      onProgress('removing the cluster');
      await deployment.teardown();
    }
  }
}

/** Those that were saved. */
async function handOverLogs(folder: string, onLog: RunOptions['onLog']): Promise<void> {
  if (onLog === undefined) return;
  for (const records of (await readLogRecords(join(folder, LOGS_FOLDER))).values()) records.forEach(onLog);
}

/** What ended the run matters more than why there is no report of it. */
async function reportSoFar(
  context: RunOptions & {
    readonly record: RunRecord;
    readonly error: unknown;
    readonly elapsedMs: number;
  },
): Promise<void> {
  const { folder, signal, record, error, elapsedMs, onProgress } = context;
  const interrupted = signal.aborted
    ? 'Somebody stopped it.'
    : `The rig failed: ${RigError.from(error).message}.`;
  try {
    record.header.note({ interrupted });
    record.save();
    await writeReportSoFar(folder, elapsedMs);
  } catch (second) {
    onProgress(`no report could be written: ${RigError.from(second).message}`);
  }
}

/** Performs the script and collects the evidence; the logs are saved whatever happens. */
async function experiment(
  context: RunOptions & {
    readonly deployment: Deployment;
    readonly record: RunRecord;
  },
): Promise<void> {
  const { scenario, seed, clock, signal, deployment, record, openKv, onProgress } = context;
  const { journal, header } = record;
  await using recorder = startRecorder({
    clock,
    journal,
    members: etcdMembers(deployment.topology),
    connect: async (member) => openKv(await deployment.etcd(member)),
  });
  try {
    const consumers = await Promise.all(
      deployment.topology.consumers.map(async (name) => [name, await deployment.address(name)] as const),
    );
    header.note({ consumers: Object.fromEntries(consumers) });
    const clients = createClients({ deployment, journal });
    const random = createSeededRandom(seed);
    const stage = { clock, random, deployment, recorder, journal, clients, signal };
    await perform(stage, { scenario, onStep: onProgress });
    onProgress('waiting for quiescence');
    await settle({ clock, recorder, journal, deployment, signal });
    onProgress('collecting disks, exports and etcd');
    await collectInventories({ deployment, journal, label: FINAL_LABEL });
    header.note({ etcdComplete: await finalState({ ...context, journal, recorder }) });
  } finally {
    await record.takeLogs(deployment);
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
    await recorder.caughtUp(revision, CAUGHT_UP_WITHIN_MS);
    return recorder.complete();
  } catch (error) {
    // etcd may be the very thing that is broken: then nobody saw the end, and the checks say so.
    if (hasCode(error, 'unavailable', 'timeout')) return false;
    throw error;
  } finally {
    await kv.close();
  }
}
