// run.json and plan.json: what was run, written before anything else happens.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../base/make-folder.ts';
import type { RunMode } from './history.ts';
import { recordError } from './journal.ts';
import { PLAN_FILE, RUN_FILE, type RunFile } from './record-files.ts';
import type { Scenario } from './scenario.ts';
import type { Topology } from './topology.ts';

export interface RunHeader {
  /** Adds what became known, and writes run.json anew. */
  note(found: Partial<RunFile>): void;
}

/** Makes the run's folder. Throws `machine` when it can't be written to. */
export function openFolder(folder: string, { plan }: Scenario): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw recordError(folder, error);
  }
  if (plan !== undefined) writeJson(join(folder, PLAN_FILE), plan.data);
}

export function writeHeader(options: {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly runId: string;
  readonly folder: string;
  readonly topology: Topology;
  readonly startedAtMs: number;
  readonly mode?: RunMode;
}): RunHeader {
  const { scenario, seed, runId, folder, topology, startedAtMs, mode } = options;
  const { durationMs, isGiven = false } = scenario.plan ?? {};
  let header: RunFile = {
    scenario: scenario.name,
    seed,
    ...(durationMs !== undefined && { durationMs }),
    ...(isGiven && { isGiven }),
    ...(mode !== undefined && { mode }),
    runId,
    topology,
    startedAtMs,
    checks: scenario.checks,
  };
  const note = (found: Partial<RunFile>): void => {
    header = { ...header, ...found };
    writeJson(join(folder, RUN_FILE), header);
  };
  note({});
  return { note };
}

function writeJson(path: string, value: unknown): void {
  try {
    writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
  } catch (error) {
    throw recordError(path, error);
  }
}
