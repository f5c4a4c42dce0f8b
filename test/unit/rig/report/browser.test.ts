// report.html as somebody sees it: in a headless Chromium, from a file, without a network.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { longRun } from '../../../../src/cli/bench-checks-run.ts';
import { type Browser, type Page, startBrowser } from '../../../../src/cli/browser.ts';
import { CHECK_NAMES } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { RecordedRun, Verdict } from '../../../../src/rig/history.ts';
import { pageAssets } from '../../../../src/rig/page-assets.ts';
import { reportHtml } from '../../../../src/rig/report/html.ts';
import { outageRun, withVolume } from '../support/runs.ts';

const HOSTILE = `</script><script>document.title = 'taken'</script><img src=x onerror="document.title='taken'">`;

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-report-'));
  browser = await startBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Look {
  readonly width?: number;
  readonly dark?: boolean;
  readonly verdicts?: readonly Verdict[];
}

/** Opens the page of a run; resolves once its script has drawn everything. */
async function open(run: RecordedRun, { width = 1280, dark = false, verdicts }: Look = {}): Promise<Page> {
  const judged = verdicts === undefined ? judge(run, CHECK_NAMES) : { verdict: 'valid' as const, verdicts };
  const result = { scenario: run.scenario, seed: 1, folder: 'runs/1', elapsedMs: 1000, ...judged };
  const path = join(folder, `${width}${dark}.html`);
  writeFileSync(path, reportHtml({ run, result, assets: pageAssets() }));
  const page = await browser.open(path, { width, dark });
  await page.drawn();
  expect(await page.evaluate('document.documentElement.dataset.ready')).toBe('yes');
  return page;
}

const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);

/** The window that the time line was last drawn for. */
const drawn = (page: Page): Promise<string> =>
  page.evaluate('document.getElementById("timeline").dataset.drawn');

/** True when something else than the background was painted into the lanes. */
const painted = (page: Page): Promise<boolean> =>
  page.evaluate(`(() => {
    const { width, height } = document.getElementById('timeline');
    const { data } = document.getElementById('timeline').getContext('2d').getImageData(200, 0, width - 200, height);
    return new Set(new Uint32Array(data.buffer)).size > 3;
  })()`);

describe('report.html in a browser', () => {
  it.each([
    [1280, false],
    [1280, true],
    [390, false],
  ])(
    'draws a run at %i px, dark: %s, without a complaint and without scrolling sideways',
    async (width, dark) => {
      const page = await open(outageRun().history.run(), { width, dark, verdicts: [] });
      expect(await painted(page)).toBe(true);
      expect(await page.evaluate('document.querySelectorAll(".uplot canvas").length')).toBe(2);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate('document.querySelectorAll("#logs tbody tr").length')).toBeGreaterThan(2);
      expect(page.complaints).toEqual([]);
    },
  );

  it('leads from the counter-example of a failing run to its moment in time line and log', async () => {
    const run = withVolume(outageRun().history.run(), 2, (volume) => ({ ...volume, node: 'node1' }));
    const page = await open(run);
    expect(await text(page, 'h1')).toMatch(/^invalid/);
    // All of it is to be seen without scrolling.
    expect(
      await page.evaluate('document.querySelector(".finding").getBoundingClientRect().bottom < innerHeight'),
    ).toBe(true);
    const before = await drawn(page);
    await page.evaluate('document.querySelector(".example a").click()');
    await page.drawn();
    await page.drawn();
    const span = /^#t=(\d+)-(\d+)$/.exec(await page.evaluate<string>('location.hash'));
    const [fromMs, toMs] = (await drawn(page)).split('-').map(Number);
    expect(await drawn(page)).not.toBe(before);
    expect(fromMs).toBeLessThanOrEqual(Number(span?.[1]));
    expect(toMs).toBeGreaterThanOrEqual(Number(span?.[2]));
    expect(await text(page, '#logs-count')).toContain(' found from ');
    expect(page.complaints).toEqual([]);
  });

  it('paints a starved machine in no colour of an error', async () => {
    const { history } = outageRun();
    history.at(20_000).machine(19_000, { runnable: 40 });
    const page = await open(history.run(), { verdicts: [] });
    const colours = await page.evaluate<Record<string, number>>(`(() => {
      const canvas = document.getElementById('timeline');
      const lane = [...JSON.parse(document.getElementById('record').textContent).lanes].findIndex(({ group }) => group === 'machine');
      const { data } = canvas.getContext('2d').getImageData(200, lane * 20 + 3, 600, 14);
      const counts = {};
      for (let at = 0; at < data.length; at += 4) {
        const colour = '#' + [...data.slice(at, at + 3)].map((part) => part.toString(16).padStart(2, '0')).join('');
        counts[colour] = (counts[colour] ?? 0) + 1;
      }
      const style = getComputedStyle(document.documentElement);
      const of = (name) => counts[style.getPropertyValue('--' + name).trim()] ?? 0;
      return { bad: of('bad'), sand: of('sand'), doubt: of('doubt') };
    })()`);
    expect(colours.bad).toBe(0);
    expect(colours.sand).toBeGreaterThan(100);
    expect(colours.doubt).toBeGreaterThan(100);
  });

  it('shows an interrupted run', async () => {
    const run = outageRun().history.run();
    const history = run.history.slice(0, 20).filter(({ type }) => type !== 'final-state');
    const interrupted = 'Somebody stopped it.';
    const cut = { ...run, history, etcd: run.etcd.slice(0, 8), etcdComplete: false, interrupted };
    const page = await open(cut);
    expect(await text(page, 'h1')).toBe('interrupted test');
    expect(await text(page, 'header')).toContain('Somebody stopped it. The record ends at +');
    expect(await painted(page)).toBe(true);
    expect(page.complaints).toEqual([]);
  });

  it('shows a run in which nothing happened', async () => {
    const run = outageRun().history.run();
    const page = await open({ ...run, history: [], etcd: [], logs: [] });
    expect(await text(page, 'h1')).toMatch(/^unknown/);
    expect(page.complaints).toEqual([]);
  });

  it('is zoomed by keys, by dragging and by buttons, and the tables follow', async () => {
    const page = await open(outageRun().history.run(), { verdicts: [] });
    const whole = await drawn(page);
    await page.evaluate('document.getElementById("timeline").focus()');
    await page.press('+');
    await page.drawn();
    expect(await drawn(page)).not.toBe(whole);
    expect(await text(page, '#etcd-count')).toContain(' found from ');
    await page.evaluate(`document.querySelector('[data-key="0"]').click()`);
    await page.drawn();
    expect(await drawn(page)).toBe(whole);
    await page.evaluate('document.getElementById("timeline").scrollIntoView()');
    const { left, top } = await page.evaluate<{ left: number; top: number }>(
      'document.getElementById("timeline").getBoundingClientRect().toJSON()',
    );
    await page.drag({ x: left + 400, y: top + 50 }, { x: left + 700, y: top + 50 });
    await page.drawn();
    expect(await drawn(page)).not.toBe(whole);
    expect(page.complaints).toEqual([]);
  });

  it('finds log lines by their words, level and container', async () => {
    const page = await open(outageRun().history.run(), { verdicts: [] });
    await page.evaluate(`(() => {
      const type = (id, value) => {
        document.getElementById(id).value = value;
        document.getElementById(id).dispatchEvent(new Event('input'));
      };
      type('logs-search', 'ETCD');
      type('logs-level', 'error');
      type('logs-container', 'node2');
    })()`);
    await page.drawn();
    expect(await text(page, '#logs tbody')).toMatch(
      /^\s*19\.900\s+node2\s+error\s+etcd\.unreachable\s*$|^\s*20\.000\s+node2\s+error\s+etcd\.unreachable\s*$/,
    );
    expect(await text(page, '#logs-count')).toMatch(/^1 found/);
  });

  it('runs nothing that was recorded', async () => {
    const { history } = outageRun();
    history
      .log('node1', 'error', HOSTILE, { x: HOSTILE })
      .put('/cobalt/v1/x', HOSTILE)
      .log(HOSTILE, 'info', 'x');
    history.expectation({ outcome: 'missed', what: HOSTILE, seen: HOSTILE });
    history
      .io({ kind: 'nfs-read', consumer: HOSTILE, file: HOSTILE, outcome: 'fail' })
      .fault('kill', HOSTILE);
    const named = withVolume(history.run({ scenario: HOSTILE }), 1, (volume) => ({
      ...volume,
      name: HOSTILE,
    }));
    const page = await open(named);
    await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
    await page.drawn();
    expect(await page.evaluate('document.title')).toContain('invalid');
    expect(await page.evaluate('document.querySelectorAll("img").length')).toBe(0);
    expect(page.complaints).toEqual([]);
  });

  // How long it takes is a matter of the machine; what it has to do is not.
  it('opens a run of 100,000 etcd events and 20,000 calls as a page of bounded size', async () => {
    const page = await open(longRun({ etcdEvents: 100_000, calls: 20_000 }, 1), { verdicts: [] });
    expect(await painted(page)).toBe(true);
    expect(await text(page, '#etcd-count')).toMatch(/ of 10\d{4} are not on this page/);
    expect(await page.evaluate('document.documentElement.outerHTML.length')).toBeLessThan(8_000_000);
    expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(20_000);
    expect(page.complaints).toEqual([]);
  }, 120_000);
});
