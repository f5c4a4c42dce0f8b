// compose/front-door.yaml, with Docker Compose alone: one address for all APIs, whatever becomes of single nodes.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../../src/index.ts';
import { STATS_PORT } from '../../src/rig/compose/front-door.ts';
import { API_PORT } from '../../src/rig/compose/node-environment.ts';
import { serverSentEvents } from '../../src/rig/sse.ts';
import { type PlainCompose, plainCompose } from '../support/plain-compose.ts';

/** Two checks a second apart, and what is under way then. */
const NOTICED_WITHIN_MS = 4_000;
const GET_EVERY_MS = 50;

let cluster: PlainCompose;
let api: string;
let stats: string;

beforeAll(async () => {
  cluster = await plainCompose(['cobalt-3', 'front-door'], ['front-door']);
  await cluster.run('up', '--detach', '--wait');
  api = await cluster.url('front-door', API_PORT);
  stats = await cluster.url('front-door', STATS_PORT);
}, 300_000);

afterAll(async () => await cluster?.[Symbol.asyncDispose]());

/** `name STATUS` of each server, as HAProxy sees it. */
async function servers(): Promise<readonly string[]> {
  const csv = await (await fetch(`${stats}/;csv`)).text();
  const [header = '', ...rows] = csv.split('\n');
  const columns = header.replace('# ', '').split(',');
  return rows
    .map((row) => row.split(','))
    .filter((row) => row[0] === 'api' && !['FRONTEND', 'BACKEND'].includes(row[1] ?? ''))
    .map((row) => `${row[1]} ${row[columns.indexOf('status')]?.split(' ')[0]}`)
    .sort();
}
const untilServersAre = (...wanted: readonly string[]) =>
  eventually(servers, {
    until: (seen) => seen.join() === wanted.join(),
    withinMs: 20_000,
    what: `HAProxy to have ${wanted.join(', ')}`,
  });

/** A client that follows the events; `ended` resolves to the last id that it has seen. */
async function follow(lastEventId?: string) {
  const hangUp = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(`${api}/events`, { headers, signal: hangUp.signal });
  expect(response.status).toBe(200);
  let last = lastEventId;
  let hasEnded = false;
  const ended = (async () => {
    for await (const { id } of serverSentEvents(response.body as AsyncIterable<Uint8Array>))
      last = id ?? last;
  })()
    .catch(() => undefined)
    .then(() => {
      hasEnded = true;
      return last;
    });
  return { ended, hasEnded: () => hasEnded, hangUp: () => hangUp.abort() };
}

/** Asks all the time, until it is told to end; answers with each call's moment and outcome. */
function keepAsking() {
  const asked: { readonly atMs: number; readonly outcome: number | string }[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const atMs = performance.now();
      const outcome = await fetch(`${api}/volumes`)
        .then(async (response) => {
          await response.text();
          return response.status;
        })
        .catch(String);
      asked.push({ atMs, outcome });
      await new Promise((resolve) => setTimeout(resolve, GET_EVERY_MS));
    }
  })();
  return {
    asked,
    end: async () => {
      isOver = true;
      await asking;
      return asked;
    },
  };
}

it('leaves a node that is killed, finds it again, and forgets one that is removed', async () => {
  await untilServersAre('node1 UP', 'node2 UP', 'node3 UP');
  const streams: Awaited<ReturnType<typeof follow>>[] = [];
  // Each goes to whoever has the fewest: one at least to each node.
  for (let count = 0; count < 6; count += 1) streams.push(await follow());
  const calls = keepAsking();
  await eventually(() => calls.asked.length > 20);

  const killedMs = performance.now();
  await cluster.run('kill', 'node1');
  await untilServersAre('node1 DOWN', 'node2 UP', 'node3 UP');
  const lost = await eventually(() => streams.filter((stream) => stream.hasEnded()), {
    until: ({ length }) => length > 0,
    withinMs: 20_000,
    what: 'a stream of the killed node to end',
  });
  const resumed = await follow(await lost[0]?.ended);
  await eventually(() => performance.now() - killedMs > NOTICED_WITHIN_MS + 2_000);
  const asked = await calls.end();
  const after = asked.filter(({ atMs }) => atMs > killedMs + NOTICED_WITHIN_MS);
  expect(after.length).toBeGreaterThan(10);
  // Before that a call may take as long as a connection is waited for, but is asked elsewhere then.
  expect(asked.filter(({ outcome }) => outcome !== 200)).toEqual([]);

  await cluster.run('start', 'node1');
  await untilServersAre('node1 UP', 'node2 UP', 'node3 UP');

  await cluster.run('kill', 'node3');
  const node3 = async () => (await (await fetch(`${api}/nodes/node3`)).json()) as { readonly alive: boolean };
  await eventually(node3, { until: ({ alive }) => !alive });
  expect((await fetch(`${api}/nodes/node3`, { method: 'DELETE' })).status).toBe(200);
  await untilServersAre('node1 UP', 'node2 UP');
  // Those of node2, for longer by now than a server may be silent over any other call.
  expect(streams.filter((stream) => !stream.hasEnded()).length).toBeGreaterThan(0);
  for (const stream of [...streams, resumed]) stream.hangUp();

  await cluster.run('down', '--volumes', '--timeout', '0');
  expect(await cluster.remains()).toEqual([]);
}, 120_000);
