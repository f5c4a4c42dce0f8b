// Writes what a run leaves for people and for machines.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from './checks/judge.ts';
import type { RecordedRun } from './history.ts';
import { pageAssets } from './page-assets.ts';
import { JUNIT_FILE, REPORT_FILE, readRecordedRun, readRunFile, VERDICT_FILE } from './record-files.ts';
import { reportHtml } from './report/html.ts';
import { junit } from './report/junit.ts';
import { type ScenarioResult, verdictFile } from './report/verdict.ts';

interface Judged {
  readonly run: RecordedRun;
  readonly result: ScenarioResult;
}

export function writeReports(judged: Judged): void {
  const { result } = judged;
  write(result, VERDICT_FILE, `${JSON.stringify(verdictFile(result), undefined, 2)}\n`);
  writeReportPage(judged);
  write(result, JUNIT_FILE, junit([result]));
}

/** report.html alone: verdict.json says what was judged when the run ended. */
export function writeReportPage(judged: Judged): void {
  write(judged.result, REPORT_FILE, reportHtml({ ...judged, assets: pageAssets() }));
}

/** report.html of a run that did not come to its end, from as much as was recorded; nothing if that is nothing. */
export async function writeReportSoFar(folder: string, elapsedMs: number): Promise<void> {
  const { checks } = await readRunFile(folder);
  const run = await readRecordedRun(folder);
  if (run.history.length === 0 && run.etcd.length === 0) return;
  const { scenario, seed, durationMs, mode, isGiven } = run;
  const result = { scenario, seed, durationMs, mode, isGiven, folder, elapsedMs, ...judge(run, checks) };
  writeReportPage({ run, result });
}

const write = ({ folder }: ScenarioResult, file: string, text: string): void =>
  writeFileSync(join(folder, file), text);
