// Gives HAProxy the servers that the cluster has, for as long as both live:
//
//   node main.ts --seeds node1:8080,node2:8080 --socket /run/front-door/haproxy.sock

import { parseArgs } from 'node:util';
import { createSystemClock } from '../../base/clock.ts';
import { createLog } from '../../base/log.ts';
import { waitFor } from '../../base/retry.ts';
import { fetchHttp } from '../http.ts';
import { followNodes } from '../overlay/follow-nodes.ts';
import { type PlacedNode, parseEndpoints } from '../overlay/nodes.ts';
import { createResolve } from '../overlay/resolve.ts';
import { keepServers } from './keep-servers.ts';
import { createAsk } from './socket.ts';

const HAPROXY_STARTS_WITHIN_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    socket: { type: 'string', default: '/run/front-door/haproxy.sock' },
  },
});
const clock = createSystemClock();
const log = createLog({ write: (line) => process.stdout.write(line), nowMs: clock.nowMs });
const ask = createAsk({ path: values.socket, clock });
const resolve = createResolve();
const { signal } = new AbortController();
let nodes: readonly PlacedNode[] | undefined;

await waitFor({
  clock,
  what: 'HAProxy to answer',
  timeoutMs: HAPROXY_STARTS_WITHIN_MS,
  probe: () => ask('show info'),
});
const seeds = parseEndpoints(values.seeds ?? '');
await Promise.all([
  followNodes({ clock, fetch: fetchHttp, resolve, log, seeds, signal, onNodes: (known) => (nodes = known) }),
  keepServers({ clock, log, ask, resolve, signal, nodes: () => nodes }),
]);
