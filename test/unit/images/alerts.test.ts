// The alerts of images/metrics, as far as promtool can't tell: it runs their tests while the image is built.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import { clusterMetrics } from '../../../src/daemon/api/cluster-metrics.ts';
import { createApiMetrics } from '../../../src/daemon/api/metrics.ts';
import { VOLUME_STATES } from '../../../src/model/volume.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface Tests {
  readonly tests: readonly {
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}

const textOf = (name: string): string => readFileSync(join(ROOT_FOLDER, 'images/metrics', name), 'utf8');
const { groups } = parse(textOf('alerts.yaml')) as { groups: { rules: Alert[] }[] };
const ALERTS = groups.flatMap(({ rules }) => rules);
const { tests } = parse(textOf('alerts.test.yaml')) as Tests;

/** Every metric that an API has of the project's own, with a histogram's parts. */
async function told(): Promise<ReadonlySet<string>> {
  const zeros = Object.fromEntries(VOLUME_STATES.map((state) => [state, 0])) as never;
  const figures = {
    nodes: { alive: 0, draining: 0, away: 0 },
    volumes: zeros,
    longestSeconds: zeros,
    leader: 'a',
    leaderChanges: 0,
    ageSeconds: 0,
    own: { isRegistered: true, capacityBytes: 1, reservedBytes: 1, live: { availableBytes: 1, disk: 'ok' } },
  } as const;
  const observe = async () => figures;
  const metrics = createApiMetrics({ node: 'a', isReachable: () => true, observe, ofProcess: false });
  metrics.observe({ method: 'GET', route: '/', status: 200, durationMs: 1 });
  const { text } = await metrics.render();
  expect(text).toContain(await clusterMetrics('a', figures).metrics());
  return new Set(text.match(/^\w+/gm));
}

it.each(ALERTS.map((alert) => [alert.alert, alert] as const))(
  '%s says what is wrong, how grave that is, and what to look at',
  (_, { labels, annotations }) => {
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(20);
    expect(annotations.description.length).toBeGreaterThan(50);
  },
);

it('has a test that each fires', () => {
  const samples = tests.flatMap((test) => test.promql_expr_test.flatMap(({ exp_samples }) => exp_samples));
  const fired = samples.map(({ labels }) => /alertname="(\w+)",alertstate="firing"/.exec(labels)?.[1]);
  expect([...new Set(fired)].sort()).toEqual(ALERTS.map(({ alert }) => alert).sort());
});

it('speaks of no metric that an API does not have', async () => {
  const known = await told();
  const spoken = ALERTS.flatMap(({ expr }) => expr.match(/cobalt_\w+/g) ?? []);
  expect(spoken.length).toBeGreaterThan(10);
  expect([...new Set(spoken)].filter((name) => !known.has(name))).toEqual([]);
});

it('is documented, as is every metric', async () => {
  const docs = readFileSync(join(ROOT_FOLDER, 'docs/metrics.md'), 'utf8');
  const own = [...(await told())].map((name) => name.replace(/_(bucket|sum|count)$/, ''));
  const named = [...own.filter((name) => name.startsWith('cobalt_')), ...ALERTS.map(({ alert }) => alert)];
  expect([...new Set(named)].filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
});
