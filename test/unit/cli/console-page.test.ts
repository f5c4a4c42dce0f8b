// The console's page as somebody sees and uses it, in a headless Chromium: of a cluster that is played, and of
// a recorded run. No container is needed.

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { type Browser, type Page, startBrowser } from '../../../src/cli/browser.ts';
import { createHub, type Hub } from '../../../src/cli/console/hub.ts';
import { type ConsoleServer, startConsoleServer } from '../../../src/cli/console/server.ts';
import type { ConsoleSource } from '../../../src/cli/console/source.ts';
import { faultForms } from '../../../src/rig/console/fault-form.ts';
import type { ClusterItem, Items } from '../../../src/rig/console/items.ts';
import { createKeyHistory } from '../../../src/rig/console/key-history.ts';
import type { Order } from '../../../src/rig/console/order.ts';
import { owedItems } from '../../../src/rig/console/owed.ts';
import { createReplay } from '../../../src/rig/console/replay.ts';
import { itemsOf, type SeenMember } from '../../../src/rig/console/view.ts';
import { consoleAssets } from '../../../src/rig/page-assets.ts';
import { outageRun } from '../rig/support/runs.ts';

const clock = createSystemClock();
const HOSTILE = `</script><script>document.title='taken'</script><img src=x onerror="document.title='taken'">`;

let browser: Browser;
let server: ConsoleServer | undefined;
beforeAll(async () => {
  browser = await startBrowser();
}, 60_000);
afterEach(async () => {
  await server?.close();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

interface Look {
  readonly width?: number;
  readonly dark?: boolean;
}

async function open(source: ConsoleSource, { width = 1280, dark = false }: Look = {}): Promise<Page> {
  server = await startConsoleServer({ source, assets: consoleAssets(), port: 0 });
  const page = await browser.open(server.url, { width, dark });
  await until(page, 'document.documentElement.dataset.ready === "yes"');
  return page;
}

const until = (page: Page, expression: string): Promise<true> =>
  waitFor({
    ...{ clock, what: expression, timeoutMs: 20_000, intervalMs: 20 },
    probe: async () => (await page.evaluate<boolean>(`Boolean(${expression})`)) || undefined,
    describe: () => page.complaints.join(' '),
  }).then(() => true);

const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);

/** Controls that nobody could name. */
const nameless = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`[...document.querySelectorAll('button, input, select, [tabindex="0"]')]
    .filter((one) => !one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby') && !one.labels?.length && !one.innerText?.trim() && one.checkVisibility())
    .map((one) => one.outerHTML)`);

const roles = { api: 'running', engine: 'running', agent: 'running' } as const;
const member = (name: string, fields: Partial<SeenMember> = {}): SeenMember => ({
  ...{ name, kind: 'node', state: 'running', roles, url: null, address: null, ...fields },
});
const cluster: ClusterItem = {
  is: 'cluster',
  kind: 'cluster',
  title: 'played',
  folder: 'f',
  limits: null,
  gone: null,
};

/** A cluster of two nodes of which the first leads. */
async function played(title = 'played') {
  const run = outageRun().history.run();
  const history = createKeyHistory();
  history.add(run.etcd);
  const hub: Hub = createHub(clock);
  const given: Order[] = [];
  const show = (members: readonly SeenMember[], more: Items = {}): void => {
    const etcd = { is: 'etcd', revision: history.to, from: 1, stale: null } as const;
    hub.set('all', {
      cluster,
      etcd,
      ...itemsOf(history.at(history.to), members),
      ...owedItems([], members),
      ...more,
    });
  };
  show([member('node1'), member('node2'), member('etcd', { kind: 'etcd', roles: {} })]);
  const source: ConsoleSource = {
    ...{ kind: 'cluster', title, hub, history, forms: await faultForms(), done: Promise.resolve() },
    give: (order) => void given.push(order),
  };
  return { source, given, show, hub, history };
}

describe('the page of a cluster', () => {
  it.each([
    [1280, false],
    [1280, true],
    [420, false],
    [420, true],
  ])(
    'shows everything at %i px, dark: %s, without a complaint or scrolling sideways',
    async (width, dark) => {
      const { source } = await played();
      const page = await open(source, { width, dark });
      await until(page, 'document.querySelectorAll("#tree button").length > 3');
      expect(await text(page, '#headline')).toMatch(
        /^node[12] leads\. 2 of 2 nodes run\. Nothing is broken\.$/,
      );
      expect(await page.evaluate('document.querySelectorAll("#nodes article").length')).toBe(2);
      expect(await page.evaluate('document.querySelectorAll("#volumes tr").length')).toBeGreaterThan(0);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await nameless(page)).toEqual([]);
      expect(page.complaints).toEqual([]);
      await page.close();
    },
  );

  it('is used with the keyboard alone: kills the leader, and undoes it', async () => {
    const { source, given, show } = await played();
    const page = await open(source);
    await page.press('k');
    expect(await page.evaluate('document.activeElement.id')).toBe('kill-leader');
    expect(given).toEqual([]);
    await page.press('Enter');
    await until(page, 'true');
    show([member('node1', { state: 'down' }), member('node2'), member('etcd', { kind: 'etcd', roles: {} })]);
    await until(page, 'document.querySelector("#owed li")');
    expect(given).toEqual([{ do: 'kill', to: ['leader'] }]);
    expect(await text(page, '#owed')).toContain('node1 is down');
    expect(await text(page, '#story')).toContain('node1 is down');
    await page.press('u');
    await page.press('Enter');
    await waitFor({ clock, what: 'the order', timeoutMs: 5_000, probe: async () => given[1] });
    expect(given[1]).toEqual({ do: 'heal', ids: [] });
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it('leads Tab to every control in the order of the page, and shows where it is', async () => {
    const { source } = await played();
    const page = await open(source);
    const seen: string[] = [];
    for (let count = 0; count < 24; count += 1) {
      await page.press('Tab');
      seen.push(
        await page.evaluate(
          `(() => { const at = document.activeElement; const { outlineStyle } = getComputedStyle(at); return (at.getAttribute('aria-label') ?? at.firstChild.textContent.trim()) + ' ' + outlineStyle; })()`,
        ),
      );
    }
    expect(seen.slice(0, 4)).toEqual([
      'To the nodes solid',
      'Keys solid',
      'kill the api of node1 solid',
      'kill the engine of node1 solid',
    ]);
    expect(seen.every((one) => one.endsWith(' solid'))).toBe(true);
    expect(seen.findIndex((one) => one.startsWith('Kill node1'))).toBeLessThan(
      seen.findIndex((one) => one.startsWith('Kill the leader')),
    );
    await page.close();
  });

  it('injects a fault as its form says, and lets nothing through that its fields refuse', async () => {
    const { source, given } = await played();
    const page = await open(source);
    await page.evaluate(`(() => {
      const select = document.getElementById('fault');
      select.value = 'loss';
      select.dispatchEvent(new Event('input'));
      document.getElementById('field-percent').value = '500';
      document.getElementById('fault-inject').click();
      document.getElementById('field-percent').value = '7';
      document.getElementById('fault-inject').click();
    })()`);
    await waitFor({ clock, what: 'the order', timeoutMs: 5_000, probe: async () => given[0] });
    expect(given).toEqual([{ do: 'fault', spec: { fault: 'loss', on: 'one', percent: 7 } }]);
    await page.evaluate(`(() => {
      document.getElementById('fault-for').value = '30';
      document.getElementById('fault-inject').click();
    })()`);
    await waitFor({ clock, what: 'the order', timeoutMs: 5_000, probe: async () => given[1] });
    expect(given.splice(1)).toEqual([{ ...given[0], forSeconds: 30 }]);
    // What the page lets through, the console may refuse all the same.
    await page.evaluate(`(() => {
      document.getElementById('field-on').value = 'x'.repeat(300);
      document.getElementById('fault-inject').click();
    })()`);
    await until(page, '!document.getElementById("trouble").hidden');
    expect(await text(page, '#trouble')).toContain("'fields.on'");
    expect(given).toHaveLength(1);
    await page.close();
  });

  it('goes back to any revision of etcd, shows what it changed, and returns to the newest', async () => {
    const { source, history } = await played();
    const page = await open(source);
    await until(page, 'document.querySelectorAll("#tree button").length > 3');
    await page.press('[');
    await until(
      page,
      `document.getElementById('revision-told').innerText.startsWith('Revision ${history.to - 1}, 1 before')`,
    );
    await page.evaluate(
      `(() => { const slider = document.getElementById('revision'); slider.value = 2; slider.dispatchEvent(new Event('input')); })()`,
    );
    await until(page, `document.querySelectorAll('#tree button').length === ${history.at(2).length}`);
    const [change] = history.changesAt(2);
    expect(await text(page, '#revision-changes')).toContain(change?.did);
    await page.press('\\');
    await until(
      page,
      `document.getElementById('revision-told').innerText.startsWith('Revision ${history.to}, the newest')`,
    );
    expect(page.complaints).toEqual([]);
    await page.close();
  });

  it('says when the cluster is gone, or etcd is silent, and that what is shown is from before', async () => {
    const { source, show } = await played();
    const page = await open(source);
    const members = [member('node1'), member('node2')];
    const etcd = {
      is: 'etcd',
      revision: 9,
      from: 1,
      stale: { sinceMs: clock.nowMs() - 12_000, why: 'no member runs' },
    } as const;
    show(members, { etcd });
    await until(
      page,
      'document.getElementById("headline").innerText.startsWith("etcd has not answered for 1")',
    );
    show(members, {
      cluster: { ...cluster, gone: { why: 'no container is left', next: 'Start it.', atMs: clock.nowMs() } },
    });
    await until(
      page,
      'document.getElementById("headline").innerText === "Cluster gone: no container is left"',
    );
    expect(await text(page, '#headline-more')).toMatch(
      /^Start it\. Nothing was heard since \d\d:\d\d:\d\d, \d s ago/,
    );
    expect(await page.evaluate('document.getElementById("kill-leader").disabled')).toBe(true);
    await page.close();
  });

  const LEADS = `[...document.querySelectorAll('.leads')].filter((one) => one.checkVisibility()).length`;
  const heardOf = async (page: Page) => ({
    link: (await text(page, '#link')).replace(/\d\d:\d\d:\d\d$/, 'then'),
    leaders: await page.evaluate<number>(LEADS),
    isEmpty: await page.evaluate<boolean>('document.getElementById("volumes-empty").checkVisibility()'),
  });

  it('calls nothing live, leading or empty once nobody hears of it, and does again', async () => {
    const { source, show } = await played();
    const page = await open(source);
    const members = [member('node1'), member('node2')];
    expect(await heardOf(page)).toEqual({ link: 'live', leaders: 1, isEmpty: false });
    const gone = { why: 'connect ENOENT', next: 'Wait.', atMs: clock.nowMs(), isUnreachable: true };
    show(members, { cluster: { ...cluster, gone } });
    await until(page, 'document.documentElement.dataset.link === "bad"');
    expect(await text(page, '#headline')).toBe('Cluster out of reach: connect ENOENT');
    expect(await heardOf(page)).toEqual({ link: 'nothing heard since then', leaders: 0, isEmpty: false });
    show(members);
    await until(page, 'document.documentElement.dataset.link === "good"');
    expect(await heardOf(page)).toEqual({ link: 'live', leaders: 1, isEmpty: false });
    await server?.close();
    await until(page, 'document.documentElement.dataset.link === "bad"');
    expect(await text(page, '#headline')).toMatch(/^The console (does not answer|has ended)$/);
    expect(await heardOf(page)).toEqual({ link: 'nothing heard since then', leaders: 0, isEmpty: false });
    await page.close();
  });

  it('does not say that there is no volume, where nobody can tell', async () => {
    const { source, hub } = await played();
    const etcd = { is: 'etcd', revision: 1, from: 1, stale: null } as const;
    hub.set('all', { cluster, etcd });
    const page = await open(source);
    await until(page, 'document.getElementById("volumes-empty").checkVisibility()');
    const gone = { why: 'no container is left', next: 'Start it.', atMs: clock.nowMs() };
    hub.set('all', { cluster: { ...cluster, gone }, etcd });
    await until(page, '!document.getElementById("volumes-empty").checkVisibility()');
    await page.close();
  });

  it('runs nothing that somebody wrote', async () => {
    const { source, show, hub } = await played(HOSTILE);
    const page = await open(source);
    show([member(HOSTILE)], { 'fault:x': { is: 'fault', label: HOSTILE, fromMs: 0, evidence: HOSTILE } });
    hub.tell({
      type: 'logs',
      lines: [{ atMs: 1, member: HOSTILE, role: '', level: 'error', text: HOSTILE }],
    });
    const now = { key: HOSTILE, value: HOSTILE, revision: 99, created: 99, version: 1, lease: null };
    hub.tell({
      type: 'keys',
      revision: 99,
      changes: [{ ...{ revision: 99, key: HOSTILE, did: 'created', lines: [HOSTILE], atMs: 1 }, now }],
    });
    await until(
      page,
      'document.querySelectorAll("#log-lines li").length === 1 && document.documentElement.dataset.revision === "99"',
    );
    expect(await page.evaluate('document.title')).toContain('console');
    expect(await page.evaluate('document.querySelectorAll("img").length')).toBe(0);
    expect(page.complaints).toEqual([]);
    await page.close();
  });
});

describe('the page of a run that is over', () => {
  const run = outageRun().history.run();
  const source = (): ConsoleSource => {
    const limits = 'A run that is over.';
    const of: ClusterItem = { ...cluster, kind: 'run', limits };
    const replay = createReplay({ run, verdicts: [], cluster: of });
    const hub = createHub(clock);
    return {
      kind: 'run',
      title: 'a run',
      hub,
      history: replay.history,
      forms: [],
      replay,
      done: Promise.resolve(),
    };
  };

  it.each([1280, 420])(
    'is moved through by keys, and has no button that breaks anything, at %i px',
    async (width) => {
      const page = await open(source(), { width });
      expect(await page.evaluate('document.getElementById("kill-leader")')).toBe(null);
      expect(await nameless(page)).toEqual([]);
      const at = 'Number(document.documentElement.dataset.moment)';
      await page.press('.');
      await until(page, `${at} > 0`);
      const first = await page.evaluate<number>(at);
      expect(run.etcd[0]?.atMs).toBe(first);
      await page.press('.');
      await until(page, `${at} > ${first}`);
      await page.press(',');
      await until(page, `${at} === ${first}`);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(page.complaints).toEqual([]);
      await page.close();
    },
  );

  it('plays to its end, with the time line of its report, and shows the whole cluster as it was', async () => {
    const page = await open(source());
    await page.evaluate('document.getElementById("speed").value = "64"');
    await page.press(' ');
    // That it plays may be over before anybody has looked.
    const [at, end] = [
      'Number(document.documentElement.dataset.moment)',
      'Number(document.getElementById("time").max)',
    ];
    await until(page, `${at} > 0 && ${at} >= ${end}`);
    expect(await text(page, '#headline')).toMatch(/^node[12] leads\. 2 of 2 nodes run\./);
    expect(await text(page, '#story')).toContain('leads');
    expect(await page.evaluate('document.getElementById("lanes").dataset.drawn')).toBe('yes');
    expect(page.complaints).toEqual([]);
    await page.close();
  });
});
