// `rig console` on real containers: a failover rehearsed with the keyboard in a browser, and how long
// what etcd commits takes to be on the page.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { type Browser, type Page, startBrowser } from '../../src/cli/browser.ts';
import { distribution, median } from '../../src/cli/distribution.ts';
import { openKv } from '../../src/cluster/open-kv.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
const NAME = `console-${process.pid}`;
const EVENTS = 25;
/** From etcd's answer to what is to be seen, on a machine that isn't busy. */
const SHOWN_WITHIN_MS = 200;
const clock = createSystemClock();

/** Notes when a revision is first to be seen among the keys. */
const NOTE_REVISIONS = `(() => {
  window.seenAt = {};
  new MutationObserver(() => {
    for (const { dataset } of document.querySelectorAll('#tree [data-new="true"]')) window.seenAt[dataset.changed] ??= Date.now();
  }).observe(document.getElementById('tree'), { subtree: true, childList: true, attributes: true });
})()`;

describe('the console of a cluster', () => {
  let folder: string;
  let browser: Browser;
  let console_: ReturnType<typeof start>;
  let page: Page;

  const start = (line: string) => {
    const args = [MAIN, ...line.split(' '), '--name', NAME];
    return execa(process.execPath, args, { cwd: folder, stdin: 'ignore', reject: false });
  };
  const rig = async (line: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await start(line);
    expect({ line, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return stdout;
  };
  const text = (id: string): Promise<string> =>
    page.evaluate(`document.getElementById(${JSON.stringify(id)}).innerText`);
  const until = (id: string, pattern: RegExp): Promise<RegExpExecArray> => {
    let seen = '';
    return waitFor({
      ...{ clock, what: `#${id} to say ${pattern}`, timeoutMs: 30_000 },
      probe: async () => {
        seen = await text(id);
        return pattern.exec(seen) ?? undefined;
      },
      describe: () => seen,
    });
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-console-'));
    [browser] = await Promise.all([startBrowser(), rig('up')]);
    console_ = start('console --json');
    let printed = '';
    console_.stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
    const { url } = await waitFor({
      ...{ clock, what: 'the console to say where it is', timeoutMs: 30_000 },
      probe: async () =>
        printed.includes('}') ? (JSON.parse(printed) as { readonly url: string }) : undefined,
      describe: () => printed,
    });
    page = await browser.open(url, { width: 1280 });
    await until('headline', /^node\d leads\. 3 of 3 nodes run\. Nothing is broken\.$/);
  }, 600_000);

  afterAll(async () => {
    console_?.kill('SIGKILL');
    await browser?.[Symbol.asyncDispose]();
    await start('down');
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it(`shows an event within ${SHOWN_WITHIN_MS} ms of its commit`, async () => {
    const [{ members }] = JSON.parse(await rig('ps --json')) as [
      { readonly members: readonly { readonly member: string; readonly url: string }[] },
    ];
    const kv = openKv([members.find(({ member }) => member === 'etcd')?.url ?? '']);
    await page.evaluate(NOTE_REVISIONS);
    const lateMs: number[] = [];
    try {
      for (let count = 0; count < EVENTS; count += 1) {
        const put = { kind: 'put', key: '/console-test', value: String(count) } as const;
        const { revision } = await kv.transact({ compare: [], writes: [put] });
        const answeredAtMs = clock.nowMs();
        const seenAtMs = await waitFor({
          ...{ clock, what: `revision ${revision} to be shown`, timeoutMs: 10_000, intervalMs: 5 },
          probe: async () => page.evaluate<number | undefined>(`window.seenAt[${revision}]`),
        });
        lateMs.push(Math.max(0, seenAtMs - answeredAtMs));
      }
    } finally {
      await kv.close();
    }
    console.info(`from etcd's answer to the page: ${distribution(lateMs)}`);
    expect(lateMs).toHaveLength(EVENTS);
    expect(median(lateMs)).toBeLessThan(SHOWN_WITHIN_MS);
  }, 60_000);

  it('kills the leader at two keys, shows who leads then, and undoes it at two more', async () => {
    const [, before] = await until('headline', /^(node\d) leads/);
    await page.press('k');
    await page.press('Enter');
    await until('story', new RegExp(`killed ${before}`));
    const [, after] = await until(
      'story',
      new RegExp(`(node\\d) leads \\(term \\d+\\), [\\d.]+ s after ${before} was hit`),
    );
    expect(after).not.toBe(before);
    await until('headline', new RegExp(`^${after} leads\\. 2 of 3 nodes run\\. 1 thing is broken\\.$`));
    expect(await text('owed')).toContain(`${before} is down`);
    await page.press('u');
    await page.press('Enter');
    await until('headline', /^node\d leads\. 3 of 3 nodes run\. Nothing is broken\.$/);
    expect(page.complaints).toEqual([]);
  }, 60_000);

  it('leaves what it broke on record, for rig heal to undo when it is gone, and says when the cluster is', async () => {
    await page.evaluate(`(() => {
      const select = document.getElementById('fault');
      select.value = 'pause';
      select.dispatchEvent(new Event('input'));
      document.getElementById('field-on').value = 'node1';
      document.getElementById('field-role').value = 'agent';
      document.getElementById('fault-inject').click();
    })()`);
    await until('owed', /pause the agent of node1/);
    expect(await rig('heal')).toMatch(/^healed: pause the agent of node1 \(pause\)/m);
    await until('owed-empty', /Nothing is broken by hand/);
    await rig('down');
    await until('headline', /^Cluster gone: no container of '.*' is left$/);
    await until('link', /^nothing heard since \d\d:\d\d:\d\d$/);
    expect(await page.evaluate(`document.querySelectorAll('[data-leads="true"]').length`)).toBe(0);
    console_.kill('SIGINT');
    const { exitCode, stderr } = await console_;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }, 120_000);
});
