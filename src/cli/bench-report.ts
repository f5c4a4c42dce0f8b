// How large report.html of a run of 100,000 events of etcd and 20,000 calls is, how
// long it takes to write, and how long a headless Chromium takes to open it, in
// turns with an empty page, which costs what any page does.

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { CHECK_NAMES } from '../rig/checks/catalogue.ts';
import { judge } from '../rig/checks/judge.ts';
import { endMs } from '../rig/checks/outages.ts';
import { REPORT_FILE } from '../rig/record-files.ts';
import { writeReportPage } from '../rig/reports.ts';
import { longRun } from './bench-checks-run.ts';
import { type Browser, startBrowser } from './browser.ts';
import { distribution, median } from './distribution.ts';

const SIZE = { etcdEvents: 100_000, calls: 20_000 };
const SEED = 1;
const LIMIT_MS = 2_000;
const WIDTH_PX = 1280;

const clock = createSystemClock();

/** Throws `internal` when the page takes too long to open, or complains. */
export async function benchReport({ rounds }: { readonly rounds: number }): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-rig-'));
  try {
    const run = longRun(SIZE, SEED);
    const { scenario, seed } = run;
    const result = { scenario, seed, folder, elapsedMs: endMs(run), ...judge(run, CHECK_NAMES) };
    const path = join(folder, REPORT_FILE);
    const emptyPath = join(folder, 'empty.html');
    await writeFile(emptyPath, '<!doctype html><title>empty</title>');
    const writtenMs = Array.from({ length: rounds }, () => writeMs(() => writeReportPage({ run, result })));
    const { size } = await stat(path);
    say(`size        ${(size / 2 ** 20).toFixed(1)} MiB`);
    say(`write       ${distribution(writtenMs)}`);
    await using browser = await startBrowser();
    // The first page of a browser pays for its start.
    await openMs(browser, emptyPath);
    const emptyMs: number[] = [];
    const openedMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      emptyMs.push(await openMs(browser, emptyPath));
      openedMs.push(await openMs(browser, path));
    }
    say(`open        ${distribution(openedMs)}`);
    say(`open empty  ${distribution(emptyMs)}`);
    say(`ratio       ${(median(openedMs) / median(emptyMs)).toFixed(1)} (of the medians)`);
    if (median(openedMs) > LIMIT_MS)
      throw new RigError('internal', `${REPORT_FILE} opens in more than the ${LIMIT_MS} ms that are wanted`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function writeMs(write: () => void): number {
  const startedMs = clock.monotonicMs();
  write();
  return clock.monotonicMs() - startedMs;
}

/** From a new tab to the page that is drawn. */
async function openMs(browser: Browser, path: string): Promise<number> {
  const startedMs = clock.monotonicMs();
  const page = await browser.open(path, { width: WIDTH_PX });
  await page.drawn();
  const elapsedMs = clock.monotonicMs() - startedMs;
  await page.close();
  if (page.complaints.length > 0)
    throw new RigError('internal', `${path} complains: ${page.complaints.join('\n')}`);
  return elapsedMs;
}
