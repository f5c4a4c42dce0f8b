// Removes what a rig left behind when it died without cleaning up. Speaks the
// protocol of Ryuk, testcontainers' reaper, so that testcontainers can use it
// too (RYUK_CONTAINER_IMAGE):
//
//   a client connects to TCP port 8080 and writes lines `label=k=v&label=k2=v2`
//   (URL-encoded where need be); each is answered `ACK`. When every connection
//   has been closed for RYUK_RECONNECTION_TIMEOUT (default 10s), or none came
//   within RYUK_CONNECTION_TIMEOUT (default 60s) of the start, all containers,
//   networks, volumes and images that match a line are removed, and it exits.
//
// Beyond Ryuk's: `forget:` before a line takes it back, and a line is answered
// with NAK and a reason when the engine can't be reached.
//
// A client that dies, however suddenly, closes its connection: that is the signal.
//
// It stands outside of daemon and rig, as hardware does, and reads its variables,
// which are Ryuk's, by itself.

import { request } from 'node:http';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const SOCKET = process.env.RYUK_DOCKER_SOCKET ?? '/var/run/docker.sock';
const PORT = Number(process.env.RYUK_PORT ?? 8080);
const CONNECTION_TIMEOUT_MS = durationMs(process.env.RYUK_CONNECTION_TIMEOUT, 60_000);
const RECONNECTION_TIMEOUT_MS = durationMs(process.env.RYUK_RECONNECTION_TIMEOUT, 10_000);
const REQUEST_TIMEOUT_MS = durationMs(process.env.RYUK_REQUEST_TIMEOUT, 30_000);
/** What is being created while its owner dies shows up a moment later: look again. */
const ROUNDS = 10;
const PAUSE_MS = 500;

/** Before a filter: it is no longer to be reaped. Not part of Ryuk's protocol. */
const FORGET = 'forget:';

/** Go's durations, which Ryuk takes (`10s`, `1m30s`, `500ms`); a bare number is seconds. */
function durationMs(text, fallbackMs) {
  if (!text) return fallbackMs;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  return parts.length === 0
    ? fallbackMs
    : parts.reduce((sum, [, n, unit]) => sum + Number(n) * unitsMs[unit], 0);
}

function log(message) {
  console.log(`reaper: ${message}`);
}

/** A call of the engine; resolves to the parsed body. `missing` statuses count as done. */
function engine(method, path) {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: SOCKET, method, path, timeout: REQUEST_TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => {
        if (response.statusCode < 300)
          resolve(body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : {});
        else if (response.statusCode === 404) resolve({});
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${body.trim()}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer`)));
    call.on('error', reject);
    call.end();
  });
}

/** `label=a=b&label=c=d` as the engine's filter: every label must match. */
function parseFilter(line) {
  const filter = {};
  for (const [key, value] of new URLSearchParams(line.trim())) {
    filter[key] = [...(filter[key] ?? []), value];
  }
  return Object.keys(filter).length === 0 ? undefined : JSON.stringify(filter);
}

const KINDS = [
  {
    name: 'containers',
    list: (filters) => engine('GET', `/containers/json?all=1&filters=${filters}`),
    remove: ({ Id }) => engine('DELETE', `/containers/${Id}?force=1&v=1`),
    // The reaper may carry its owner's label itself.
    keep: ({ Id }) => Id.startsWith(process.env.HOSTNAME ?? ' '),
  },
  {
    name: 'networks',
    list: (filters) => engine('GET', `/networks?filters=${filters}`),
    remove: ({ Id }) => engine('DELETE', `/networks/${Id}`),
  },
  {
    name: 'volumes',
    list: async (filters) => (await engine('GET', `/volumes?filters=${filters}`)).Volumes ?? [],
    remove: ({ Name }) => engine('DELETE', `/volumes/${Name}?force=1`),
  },
  {
    name: 'images',
    list: (filters) => engine('GET', `/images/json?filters=${filters}`),
    remove: ({ Id }) => engine('DELETE', `/images/${Id}?force=1`),
  },
];

/** One pass over everything that matches; the number of things found (removed or not). */
async function sweep(filter) {
  let found = 0;
  for (const { name, list, remove, keep = () => false } of KINDS) {
    try {
      const things = (await list(encodeURIComponent(filter))).filter((thing) => !keep(thing));
      const results = await Promise.allSettled(things.map(remove));
      for (const result of results) if (result.status === 'rejected') log(result.reason.message);
      if (things.length > 0) log(`removed ${things.length} ${name} of ${filter}`);
      found += things.length;
    } catch (error) {
      log(error.message);
      found += 1;
    }
  }
  return found;
}

/** Sweeps until two passes in a row find nothing, at most ROUNDS times. */
async function reap(filters) {
  let clean = 0;
  for (let round = 0; round < ROUNDS && clean < 2; round++) {
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    let found = 0;
    for (const filter of filters) found += await sweep(filter);
    clean = found === 0 ? clean + 1 : 0;
  }
}

const filters = new Set();
let connections = 0;
let timer = setTimeout(end, CONNECTION_TIMEOUT_MS);

async function end() {
  server.close();
  log(`nobody is connected; ${filters.size} filters`);
  await reap(filters);
  process.exit(0);
}

const server = createServer((socket) => {
  connections += 1;
  clearTimeout(timer);
  const lines = createInterface({ input: socket });
  lines.on('line', async (line) => {
    const forget = line.startsWith(FORGET);
    const filter = parseFilter(forget ? line.slice(FORGET.length) : line);
    if (filter === undefined) return;
    if (forget) {
      filters.delete(filter);
      return;
    }
    // A reaper that can't reach the engine protects nobody, and must not say that it does.
    try {
      await engine('GET', '/_ping');
    } catch (error) {
      log(`cannot reach the engine: ${error.message}`);
      socket.end(`NAK cannot reach the engine: ${error.message}\n`);
      return;
    }
    filters.add(filter);
    socket.write('ACK\n');
  });
  lines.on('error', () => {}); // A reset connection: 'close' follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    connections -= 1;
    if (connections === 0) timer = setTimeout(end, RECONNECTION_TIMEOUT_MS);
  });
});

// Stopped on purpose (the rig has cleaned up itself): reap nothing.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
server.listen(PORT, () => log(`Started on port ${PORT}`));
