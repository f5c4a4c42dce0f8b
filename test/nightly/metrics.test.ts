// compose/metrics.yaml, with Docker Compose alone: whom Prometheus asks, and what it makes of a node that is killed.
// Every night: Prometheus makes a large image that nothing else needs.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../../src/index.ts';
import { PROMETHEUS_PORT } from '../../src/rig/compose/metrics.ts';
import { API_PORT } from '../../src/rig/compose/node-environment.ts';
import { type PlainCompose, plainCompose } from '../support/plain-compose.ts';

/** Until the targets are written and read, and each was asked once. */
const FOUND_WITHIN_MS = 30_000;
/** Asked every 5 s, for 15 s. */
const FIRING_WITHIN_MS = 40_000;

let cluster: PlainCompose;
let prometheus: string;

beforeAll(async () => {
  cluster = await plainCompose(['cobalt-3', 'front-door', 'metrics'], ['front-door', 'metrics']);
  await cluster.run('up', '--detach', '--wait');
  prometheus = await cluster.url('metrics', PROMETHEUS_PORT);
}, 300_000);

afterAll(async () => await cluster?.[Symbol.asyncDispose]());

async function data<T>(path: string): Promise<T> {
  return ((await (await fetch(`${prometheus}/api/v1/${path}`)).json()) as { readonly data: T }).data;
}

/** `job instance health` of everybody who is asked. */
async function targets(): Promise<readonly string[]> {
  const { activeTargets } = await data<{
    readonly activeTargets: readonly { readonly labels: Record<string, string>; readonly health: string }[];
  }>('targets');
  return activeTargets.map(({ labels, health }) => `${labels.job} ${labels.instance} ${health}`).sort();
}
const untilTargetsAre = (...wanted: readonly string[]) =>
  eventually(targets, {
    until: (seen) => seen.join() === wanted.join(),
    withinMs: FOUND_WITHIN_MS,
    what: `the targets ${wanted.join(', ')}`,
  });

/** `name state node` of each alert that is pending or firing. */
async function alerts(): Promise<readonly string[]> {
  const { alerts: all } = await data<{
    readonly alerts: readonly { readonly labels: Record<string, string>; readonly state: string }[];
  }>('alerts');
  return all.map(({ labels, state }) => `${labels.alertname} ${state} ${labels.node ?? ''}`).sort();
}

async function value(query: string): Promise<number> {
  const { result } = await data<{ readonly result: readonly { readonly value: [number, string] }[] }>(
    `query?query=${encodeURIComponent(query)}`,
  );
  return Number(result[0]?.value[1]);
}

it('asks who there is, tells of a node that is killed, and forgets one that is removed', async () => {
  const others = ['etcd etcd:2379 up', 'front-door front-door:8404 up'];
  await untilTargetsAre(...others, 'node node1:8080 up', 'node node2:8080 up', 'node node3:8080 up');
  await eventually(() => value('count(cobalt_leader_info)'), {
    until: (count) => count === 3,
    withinMs: FOUND_WITHIN_MS,
  });
  expect(await value('max(cobalt_nodes{state="alive"})')).toBe(3);
  const untilAllIsWell = () =>
    eventually(alerts, { until: ({ length }) => length === 0, withinMs: FOUND_WITHIN_MS });
  await untilAllIsWell();

  await cluster.run('kill', 'node1');
  await eventually(alerts, {
    until: (seen) => seen.join() === 'NodeDown firing node1',
    withinMs: FIRING_WITHIN_MS,
    what: 'the one alert that node1 is down',
  });
  await cluster.run('start', 'node1');
  await untilAllIsWell();

  await cluster.run('kill', 'node3');
  const api = await cluster.url('front-door', API_PORT);
  const node3 = async () => (await (await fetch(`${api}/nodes/node3`)).json()) as { readonly alive: boolean };
  await eventually(node3, { until: ({ alive }) => !alive });
  expect((await fetch(`${api}/nodes/node3`, { method: 'DELETE' })).status).toBe(200);
  await untilTargetsAre(...others, 'node node1:8080 up', 'node node2:8080 up');

  await cluster.run('down', '--volumes', '--timeout', '0');
  expect(await cluster.remains()).toEqual([]);
}, 180_000);
