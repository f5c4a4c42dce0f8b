// A consumer: a small HTTP service in a container that reads volumes through libnfs's
// tools, and writes them by itself (durable-write.ts), when the rig says so. Staying
// connected to it is much cheaper than a `docker exec` for every file.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { contentOf, digestOf } from './content.ts';
import { writeDurably } from './durable-write.ts';
import { CONSUMER_PORT, type IoAnswer, type IoRequest, parseIoRequest } from './protocol.ts';
import { answerOfFailure } from './refusal.ts';

const run = promisify(execFile);
const LONGEST_REQUEST_BYTES = 64 * 1024;

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

const server = createServer(async (message, response) => {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    if (message.method === 'GET' && message.url === '/healthz') answer(200, { status: 'ok' });
    else if (message.method === 'POST' && message.url === '/io') {
      answer(200, await perform(parseIoRequest(await bodyOf(message))));
    } else answer(404, { error: 'POST /io or GET /healthz' });
  } catch (error) {
    answer(400, { error: (error as Error).message });
  }
});

process.on('SIGTERM', () => process.exit(0));
server.listen(CONSUMER_PORT, '0.0.0.0');
