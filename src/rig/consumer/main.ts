// A consumer: a small HTTP service in a container that reads volumes through libnfs's
// tools, writes them by itself (durable-write.ts), and mounts them by a kernel (mounting.ts),
// when the rig says so. Staying connected to it is much cheaper than a `docker exec` for every file.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createSystemClock } from '../../base/clock.ts';
import { type ErrorCode, RigError } from '../../base/errors.ts';
import { createLog } from '../../base/log.ts';
import { AgentFailure } from './agent-client.ts';
import { contentOf, digestOf } from './content.ts';
import { writeDurably } from './durable-write.ts';
import {
  type MountChange,
  parseMountRequest,
  parseOpenFileRequest,
  parseRunRequest,
} from './mount-protocol.ts';
import { createMounting } from './mounting.ts';
import { CONSUMER_PORT, type IoAnswer, type IoRequest, parseIoRequest } from './protocol.ts';
import { answerOfFailure } from './refusal.ts';

const run = promisify(execFile);
const LONGEST_REQUEST_BYTES = 64 * 1024;
const clock = createSystemClock();
const log = createLog({ write: (line) => void process.stdout.write(line), nowMs: clock.nowMs });
const mounting = createMounting({ clock, log, hostname: hostname() });

async function perform(request: IoRequest): Promise<IoAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'io-'));
  try {
    return await performIn(folder, request);
  } catch (error) {
    return answerOfFailure(request.kind, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function performIn(folder: string, request: IoRequest): Promise<IoAnswer> {
  const local = join(folder, 'file');
  const server = request.server.includes(':') ? `[${request.server}]` : request.server;
  const root = `nfs://${server}/${request.volume}`;
  const limits = { timeout: request.timeoutMs, killSignal: 'SIGKILL' as const };
  const { uid = 0 } = request;
  const remote = `${root}/${request.file}?version=4&uid=${uid}&gid=${uid}`;
  if (request.kind === 'nfs-read') {
    await run('nfs-cp', [remote, local], limits);
    return { outcome: 'ok', sha256: digestOf(await readFile(local)) };
  }
  const content = contentOf({ name: request.content, bytes: request.bytes });
  const { server: host, volume, file, timeoutMs } = request;
  await writeDurably({ server: host, volume, file, uid, content, timeoutMs });
  return { outcome: 'ok', sha256: digestOf(content) };
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    length += (chunk as Buffer).length;
    if (length > LONGEST_REQUEST_BYTES)
      throw new Error(`the request is longer than ${LONGEST_REQUEST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Answer = (status: number, body: unknown) => void;

/** By method and path; what is asked for is `text`, and what comes after the path `rest`. */
const ROUTES: Readonly<Record<string, (text: string, rest: string) => Promise<unknown>>> = {
  'GET /healthz': async () => ({ status: 'ok' }),
  'POST /io': async (text) => perform(parseIoRequest(text)),
  'POST /machine': async () => ({ by: (await mounting.prepare()).by }),
  'GET /mounts': async () => mounting.mounts.list(),
  'POST /mounts': async (text) => mounting.mount(parseMountRequest(text)),
  'DELETE /mounts': async (_text, volume) => mounting.mounts.unmount(volume),
  'POST /open-file': async (text) => mounting.files.perform(parseOpenFileRequest(text)),
  'POST /run': async (text) => mounting.run(parseRunRequest(text)),
};
const STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  unsupported: 501,
};

async function serve(message: IncomingMessage, answer: Answer): Promise<void> {
  const [, path = '', rest = ''] = /^(\/[^/]*)\/?(.*)$/.exec(message.url ?? '') ?? [];
  const route = ROUTES[`${message.method} ${path}`];
  if (route === undefined) return answer(404, { error: `there are ${Object.keys(ROUTES).join(', ')}` });
  try {
    answer(200, await route(await bodyOf(message), rest));
  } catch (error) {
    const { code, message: words } = RigError.from(error);
    const errno = error instanceof AgentFailure ? { errno: error.errno } : {};
    answer(STATUSES[code] ?? 500, { error: words, ...errno });
  }
}

/** Every change of its mounts so far, and from then on as they come: a line each, as JSON. */
function streamChanges(response: ServerResponse): void {
  const write = (change: MountChange): void => void response.write(`${JSON.stringify(change)}\n`);
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
  for (const change of mounting.mounts.changes()) write(change);
  response.on('close', mounting.mounts.watch(write));
}

const server = createServer((message, response) => {
  if (message.method === 'GET' && message.url === '/mounts/changes') return streamChanges(response);
  void serve(message, (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
});

process.on('SIGTERM', () => process.exit(0));
server.listen(CONSUMER_PORT, '0.0.0.0');
