// Writes what a judged run leaves for people and for machines.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedRun } from './history.ts';
import { JUNIT_FILE, REPORT_FILE, VERDICT_FILE } from './record-files.ts';
import { reportHtml } from './report/html.ts';
import { junit } from './report/junit.ts';
import { type ScenarioResult, verdictFile } from './report/verdict.ts';

export function writeReports(options: { readonly run: RecordedRun; readonly result: ScenarioResult }): void {
  const { result } = options;
  const write = (file: string, text: string): void => writeFileSync(join(result.folder, file), text);
  write(VERDICT_FILE, `${JSON.stringify(verdictFile(result), undefined, 2)}\n`);
  write(REPORT_FILE, reportHtml(options));
  write(JUNIT_FILE, junit([result]));
}
