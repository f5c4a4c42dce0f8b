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
  /** Adds what became known. */
  note(found: Partial<RunFile>): void;
  /** By now. */
  readonly file: RunFile;
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

export interface HeaderOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly runId: string;
  readonly topology: Topology;
  readonly startedAtMs: number;
  readonly mode?: RunMode;
}

/** Writes run.json now, and anew with whatever becomes known. */
export const writeHeader = ({ folder, ...options }: HeaderOptions & { readonly folder: string }): RunHeader =>
  createHeader(options, (file) => writeRunFile(folder, file));

export const writeRunFile = (folder: string, file: RunFile): void => writeJson(join(folder, RUN_FILE), file);

/** `write` is handed it now, and anew with whatever becomes known. */
export function createHeader(options: HeaderOptions, write: (file: RunFile) => void): RunHeader {
  const { scenario, seed, runId, topology, startedAtMs, mode } = options;
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
    write(header);
  };
  note({});
  return {
    note,
    get file() {
      return header;
    },
  };
}

function writeJson(path: string, value: unknown): void {
  try {
    writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
  } catch (error) {
    throw recordError(path, error);
  }
}
