// `rig report`: the report of a recorded run, written anew, and where it is.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { endMs } from '../rig/checks/outages.ts';
import { REPORT_FILE } from '../rig/record-files.ts';
import { glanceOf } from '../rig/report/glance.ts';
import { writeReportPage } from '../rig/reports.ts';
import { judgedRun } from './judged-run.ts';
import { help, printJson, printLine } from './output.ts';

export function registerReport(program: Command): void {
  program
    .command('report')
    .argument('<run>', 'folder of the run')
    .option('--json', 'print where it is as JSON')
    .addHelpText(
      'after',
      help(['rig report runs/20260101-120000-export-created-7'], '{"report": path, "url", "verdict"}'),
    )
    .action(async (folder: string, { json }: { readonly json?: boolean }) => {
      const { run, verdict, verdicts } = await judgedRun(folder);
      const { scenario, seed, durationMs, mode } = run;
      const told = { scenario, seed, durationMs, mode, folder, elapsedMs: endMs(run) };
      writeReportPage({ run, result: { ...told, verdict, verdicts, glance: glanceOf(run, verdicts) } });
      const report = resolve(folder, REPORT_FILE);
      const url = pathToFileURL(report).href;
      if (json === true) return printJson({ report, url, verdict });
      printLine(`${verdict}: ${url}`);
    });
}
