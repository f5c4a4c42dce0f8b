// `rig console` on a fleet: what its nodes log, as they log it, in a browser. Without Docker.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { type Browser, startBrowser } from '../../src/cli/browser.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const clock = createSystemClock();
let cwd: string;
let browser: Browser;
let running: readonly ReturnType<typeof rig>[] = [];

const rig = (line: string) =>
  execa(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...line.split(' ')], {
    ...{ cwd, stdin: 'ignore', reject: false },
  });

/** What the process has printed, once it has printed that. */
function printed({ stdout }: ReturnType<typeof rig>, pattern: RegExp): Promise<string> {
  let text = '';
  stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return waitFor({
    ...{ clock, what: `it to print ${pattern}`, timeoutMs: 60_000 },
    probe: async () => pattern.exec(text)?.[1],
    describe: () => text,
  });
}

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'console-fleet-'));
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  for (const one of running) one.kill('SIGINT');
  await Promise.all(running);
  await browser?.[Symbol.asyncDispose]();
  rmSync(cwd, { recursive: true });
}, 60_000);

it('shows what each node logs, from before it was opened and since', async () => {
  const fleet = rig('fleet --nodes 3 --heartbeat 1 --logs');
  running = [fleet];
  await printed(fleet, /(3 registered)/);
  const opened = rig('console runs/fleet-sim');
  running = [fleet, opened];
  const page = await browser.open(await printed(opened, /(http:\S+)/), { width: 1280 });
  const lines = (member: string): Promise<readonly string[]> =>
    page.evaluate(
      `[...document.querySelectorAll('#log-lines li')].map((line) => line.innerText.replaceAll('\\n', ' ')).filter((text) => text.includes('${member} agent'))`,
    );
  const until = async (member: string, count: number): Promise<readonly string[]> => {
    const registrations = async () =>
      (await lines(member)).filter((line) => line.includes('agent.registered'));
    return waitFor({
      ...{ clock, what: `${member} to be seen to register ${count} times`, timeoutMs: 30_000 },
      probe: async () => {
        const found = await registrations();
        return found.length >= count ? found : undefined;
      },
      describe: () => page.complaints.join(),
    });
  };
  for (const member of ['sim-00001', 'sim-00002', 'sim-00003']) await until(member, 1);
  await rig('sim power cycle sim-00002 --state runs/fleet-sim');
  expect(await until('sim-00002', 2)).toHaveLength(2);
  expect(await until('sim-00001', 1)).toHaveLength(1);
  expect(page.complaints).toEqual([]);
}, 120_000);
