// Asks every endpoint of a node's API at once, to see how it answers while etcd is away.

import { answerText, type Clients, type HttpCall } from './clients.ts';
import type { Journal } from './journal.ts';

const VOLUME = '/volumes/v0000000000000000';
const SUBSCRIPTION = '/subscriptions/s0000000000000000';
const requested = { reserved_size: 1, constraints: {} };

/** Every call of the API that needs etcd, with a body that would be accepted if etcd were there. */
export const CALLS_THAT_NEED_ETCD: readonly Pick<HttpCall, 'method' | 'path' | 'body'>[] = [
  { method: 'GET', path: '/volumes' },
  { method: 'GET', path: VOLUME },
  { method: 'POST', path: '/volumes', body: { name: 'probe', meta: {}, requested, exports: [] } },
  { method: 'PUT', path: VOLUME, body: { requested } },
  { method: 'PUT', path: `${VOLUME}/exports`, body: { exports: [] } },
  { method: 'DELETE', path: VOLUME },
  { method: 'POST', path: `${VOLUME}/move`, body: {} },
  { method: 'POST', path: `${VOLUME}/defragment`, body: {} },
  { method: 'POST', path: `${VOLUME}/compress`, body: { algorithm: 'zlib' } },
  { method: 'GET', path: '/nodes' },
  { method: 'GET', path: '/nodes/node1' },
  { method: 'PUT', path: '/nodes/node1', body: { draining: false } },
  { method: 'DELETE', path: '/nodes/no-such' },
  { method: 'GET', path: '/events' },
  { method: 'GET', path: '/subscriptions' },
  { method: 'GET', path: SUBSCRIPTION },
  // It looks how many there are first, so that nothing of it is left to be done when etcd is back.
  { method: 'POST', path: '/subscriptions', body: { url: 'http://nobody.invalid/' } },
  { method: 'DELETE', path: SUBSCRIPTION },
  { method: 'GET', path: '/readyz' },
];

/** Records, for each call and node, whether it answered 503 (200 for `/healthz`) with JSON in time. */
export async function probeEtcdAbsent(options: {
  readonly clients: Clients;
  readonly journal: Journal;
  readonly nodes: readonly string[];
  readonly withinMs: number;
}): Promise<void> {
  const { clients, journal, nodes, withinMs } = options;
  const calls = [
    ...CALLS_THAT_NEED_ETCD.map((call) => ({ ...call, status: 503 })),
    { method: 'GET' as const, path: '/healthz', status: 200 },
  ];
  await Promise.all(
    nodes.flatMap((node) =>
      calls.map(async ({ status, ...call }) => {
        const process = `probe ${node} ${call.method} ${call.path}`;
        const answer = await clients.http({ process, node, ...call });
        const json = typeof answer.body === 'object' && answer.body !== null;
        journal.record({
          type: 'expectation',
          what: `${call.method} ${call.path} on ${node} answers ${status} with JSON while etcd is away`,
          outcome: answer.status === status && json ? 'met' : 'missed',
          boundMs: withinMs,
          measuredMs: Math.round(answer.elapsedMs),
          ...(answer.status !== undefined && { isFinal: true }),
          seen: answerText(answer),
        });
      }),
    ),
  );
}
