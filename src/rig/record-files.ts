// The files in which a run is recorded, and how to read them back. A run that
// was interrupted leaves a last line cut short; what came before it still counts.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { parseStored } from '../model/parse.ts';
import type { CheckName } from './checks/catalogue.ts';
import { withOwnClock } from './checks/impairments.ts';
import {
  type EtcdEvent,
  type HistoryEvent,
  type NodeLogLine,
  type RecordedRun,
  RUN_MODES,
  type RunMode,
} from './history.ts';
import { toLogRecords } from './log-lines.ts';
import { LOG_FILE, type LogRecord, parseLogRecords, placedOf } from './log-record.ts';
import { type Topology, topologySchema } from './topology.ts';

/** A {@link RunFile}: what was run. Written before anything else. */
export const RUN_FILE = 'run.json';
/** A Plan (chaos/plan.ts) of a scenario that was drawn from a seed; or, of a script, the part of it that was left (shrink/part.ts). */
export const PLAN_FILE = 'plan.json';
/** A {@link HistoryEvent} a line, as it happens. */
export const HISTORY_FILE = 'history.jsonl';
/** An {@link EtcdEvent} a line, in the order of their revisions. */
export const ETCD_EVENTS_FILE = 'etcd-events.jsonl';
/** `<member>/log.jsonl`: a {@link LogRecord} a line. Of older versions `<member>.log`: raw lines, each after its time and a space. */
export const LOGS_FOLDER = 'logs';
/** A {@link ../rig/report/verdict.ts VerdictFile}. */
export const VERDICT_FILE = 'verdict.json';
/** The cluster, as Compose was told. */
export const COMPOSE_FILE = 'compose.yaml';
export const REPORT_FILE = 'report.html';
export const JUNIT_FILE = 'junit.xml';

export interface RunFile {
  readonly scenario: string;
  readonly seed: number;
  /** How long it was told to last; of one that is drawn from its seed. */
  readonly durationMs?: number;
  /** The seed doesn't draw it: what was run is in plan.json. Default: false. */
  readonly isGiven?: boolean;
  /** Absent: containers. */
  readonly mode?: RunMode;
  readonly runId: string;
  readonly topology: Topology;
  /** Wall-clock time, in milliseconds since the epoch, at which `atMs` is 0. */
  readonly startedAtMs: number;
  /** Names of checks; any that this version doesn't know is an error. */
  readonly checks: readonly CheckName[];
  /** IP address of each consumer; absent until they are known. */
  readonly consumers?: Readonly<Record<string, string>>;
  /** False when the recorder lost part of etcd's history: compacted, or another cluster. Absent until the run has come to its end. */
  readonly etcdComplete?: boolean;
  /** Why the run did not come to its end, as a sentence; also absent where the rig could not tell any more. */
  readonly interrupted?: string;
  /** True once its cluster was left up on purpose. */
  readonly kept?: boolean;
}

const runFileSchema = z.object({
  scenario: z.string(),
  seed: z.number(),
  durationMs: z.number().exactOptional(),
  isGiven: z.boolean().exactOptional(),
  mode: z.enum(RUN_MODES).exactOptional(),
  runId: z.string(),
  topology: topologySchema,
  startedAtMs: z.number(),
  checks: z.array(z.string()).transform((names) => names as CheckName[]),
  consumers: z.record(z.string(), z.string()).exactOptional(),
  etcdComplete: z.boolean().exactOptional(),
  interrupted: z.string().exactOptional(),
  kept: z.boolean().exactOptional(),
});

const AS_LEFT = 'Take the folder of a run as the run has left it.';

/** Of a file of a run. Throws `invalid`. */
function parsedFile<Schema extends z.ZodType>(schema: Schema, key: string, value: string): z.output<Schema> {
  try {
    return parseStored(schema, { key, value });
  } catch (cause) {
    throw new RigError('invalid', RigError.from(cause).message, { next: AS_LEFT, cause });
  }
}

/** Reads run.json. Throws `invalid` when the folder isn't a run's, or the file is malformed. */
export async function readRunFile(folder: string): Promise<RunFile> {
  const path = join(folder, RUN_FILE);
  let value: string;
  try {
    value = await readFile(path, 'utf8');
  } catch (error) {
    throw new RigError('invalid', `cannot read ${path}: ${(error as Error).message}`, {
      next: 'Name the folder of a run, such as runs/<time>-<scenario>-<seed>.',
      cause: error,
    });
  }
  return parsedFile(runFileSchema, path, value);
}

/** Everything that the checks may look at. A missing file reads as an empty one. */
export async function readRecordedRun(folder: string): Promise<RecordedRun> {
  const run = await readRunFile(folder);
  const history = await readLines<HistoryEvent>(join(folder, HISTORY_FILE));
  const etcd = await readLines<EtcdEvent>(join(folder, ETCD_EVENTS_FILE));
  // A run that has ended has recorded something: what was taken away since must not be held against the system.
  if (run.etcdComplete !== undefined && history.events.length === 0) throw missing(folder, HISTORY_FILE);
  if (run.etcdComplete === true && etcd.events.length === 0) throw missing(folder, ETCD_EVENTS_FILE);
  return recordedRunOf(run, {
    history: history.events,
    etcd: etcd.events,
    isCutShort: history.truncated || etcd.truncated,
    logs: await readLogRecords(join(folder, LOGS_FOLDER)),
  });
}

/** What the checks may look at, of what was recorded. */
export function recordedRunOf(
  run: RunFile,
  recorded: {
    readonly history: readonly HistoryEvent[];
    readonly etcd: readonly EtcdEvent[];
    /** Default: false. */
    readonly isCutShort?: boolean;
    /** By member, in the order of their names. */
    readonly logs: ReadonlyMap<string, readonly LogRecord[]>;
  },
): RecordedRun {
  const { history, etcd, isCutShort = false, logs } = recorded;
  return {
    scenario: run.scenario,
    seed: run.seed,
    durationMs: run.durationMs,
    isGiven: run.isGiven,
    mode: run.mode,
    topology: run.topology,
    consumers: run.consumers ?? {},
    history,
    etcd,
    etcdComplete: run.etcdComplete === true && !isCutShort,
    ...(run.etcdComplete === undefined && { interrupted: run.interrupted ?? 'The rig itself was killed.' }),
    logs: logLines(logs, { startedAtMs: run.startedAtMs, ownClocks: withOwnClock({ history }) }),
  };
}

const missing = (folder: string, file: string): RigError => notWhole(folder, `${file} is missing or empty`);

/** Of a run's folder of which something is wrong: `invalid`. */
export const notWhole = (folder: string, why: string, cause?: unknown): RigError =>
  new RigError('invalid', `the record in ${folder} is not whole: ${why}`, { next: AS_LEFT, cause });

async function readLines<Event>(
  path: string,
): Promise<{ readonly events: readonly Event[]; readonly truncated: boolean }> {
  const text = await readIfThere(path);
  const lines = text.split('\n');
  // Whatever follows the last newline was being written when the run died.
  const truncated = lines.pop() !== '';
  const events = lines.map((line, index): Event => {
    try {
      return JSON.parse(line) as Event;
    } catch (error) {
      throw new RigError('invalid', `${path}, line ${index + 1} is not JSON`, {
        next: AS_LEFT,
        cause: error,
      });
    }
  });
  return { events, truncated };
}

function logLines(
  logs: ReadonlyMap<string, readonly LogRecord[]>,
  { startedAtMs, ownClocks }: { readonly startedAtMs: number; readonly ownClocks: ReadonlySet<string> },
): readonly NodeLogLine[] {
  const all: NodeLogLine[] = [];
  for (const [container, records] of logs) {
    const place = { container, startedAtMs, ownClock: ownClocks.has(container) };
    for (const record of records) all.push(placedOf(record, place));
  }
  return all.sort((a, b) => a.atMs - b.atMs);
}

/** What is in a {@link LOGS_FOLDER}, by member, in the order in which each printed it. A folder that isn't there has nothing. */
export async function readLogRecords(folder: string): Promise<ReadonlyMap<string, readonly LogRecord[]>> {
  const found = new Map<string, readonly LogRecord[]>();
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) {
      found.set(entry.name, parseLogRecords(await readIfThere(join(folder, entry.name, LOG_FILE))));
    } else if (entry.name.endsWith('.log')) {
      const member = entry.name.slice(0, -'.log'.length);
      found.set(member, toLogRecords(member, await readIfThere(join(folder, entry.name))));
    }
  }
  return found;
}

const readIfThere = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new RigError('invalid', `cannot read ${path}: ${error.message}`, { next: AS_LEFT, cause: error });
  });

/** What verdict.json says the run took; undefined for one that was not judged, such as one that was interrupted. */
export async function readElapsedMs(folder: string): Promise<number | undefined> {
  const key = join(folder, VERDICT_FILE);
  const value = await readIfThere(key);
  return value === '' ? undefined : parsedFile(z.object({ elapsedMs: z.number() }), key, value).elapsedMs;
}
