// The console's own HTTP server, on 127.0.0.1 only: a fixed set of paths, each behind the same guard.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { parseOrder } from '../../rig/console/order.ts';
import { pageHtml } from '../../rig/console/page-html.ts';
import { cookieName, refusalOf, SAFE_HEADERS, type Secrets } from '../../rig/console/protection.ts';
import type { PageAssets } from '../../rig/report/html.ts';
import { explain } from '../explain.ts';
import type { HubEvent } from './hub.ts';
import type { ConsoleSource } from './source.ts';

export interface ConsoleServer {
  /** Opens it in a browser: with what makes the console answer. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface ConsoleServerOptions {
  readonly source: ConsoleSource;
  readonly assets: PageAssets;
  /** 0: one that is free. */
  readonly port: number;
}

const HOST = '127.0.0.1';
/** Orders are short. */
const BODY_LIMIT_BYTES = 16_384;
/** Whoever takes in nothing for so long comes again, and is told of everything anew. */
const MOST_UNSENT_BYTES = 32 * 1024 * 1024;

/** Throws `machine` when the port can't be had. */
export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  const secrets: Secrets = { key: randomText(), cookie: randomText(), token: randomText() };
  let port = options.port;
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  });
  // Only JSON is read, whatever anything is called.
  server.removeContentTypeParser('text/plain');
  guard(server, { secrets, port: () => port });
  servePage(server, options, { secrets, port: () => port });
  serveData(server, options.source);
  try {
    await server.listen({ host: HOST, port });
  } catch (error) {
    throw new RigError('machine', `cannot listen on ${HOST}:${port}: ${(error as Error).message}`, {
      next: 'Choose another --port, or leave it out.',
      cause: error,
    });
  }
  port = (server.server.address() as AddressInfo).port;
  return { port, url: `http://${HOST}:${port}/?key=${secrets.key}`, close: () => server.close() };
}

const randomText = (): string => randomBytes(24).toString('base64url');

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const keyIn = ({ query }: FastifyRequest): string | undefined => {
  const { key } = query as { readonly key?: unknown };
  return typeof key === 'string' ? key : undefined;
};

function guard(
  server: FastifyInstance,
  { secrets, port }: { readonly secrets: Secrets; readonly port: () => number },
): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(SAFE_HEADERS);
    const { method, headers } = request;
    const path = request.url.split('?')[0] ?? '';
    const refusal = refusalOf(
      { method, path, headers, key: keyIn(request) },
      { port: port(), secrets, isSame },
    );
    if (refusal === undefined) return;
    await reply.code(refusal.status).send({ error: refusal.why, next: refusal.next });
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const status =
      (error as { readonly statusCode?: number }).statusCode ?? (error instanceof RigError ? 400 : 500);
    await reply.code(status).send({ error: explain(RigError.from(error)) });
  });
  server.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: 'the console has no such page' });
  });
}

function servePage(
  server: FastifyInstance,
  { source, assets }: ConsoleServerOptions,
  { secrets, port }: { readonly secrets: Secrets; readonly port: () => number },
): void {
  const page = pageHtml({
    title: source.title,
    kind: source.kind,
    token: secrets.token,
    forms: source.forms,
  });
  server.get('/', async (request, reply) => {
    const cookie = `${cookieName(port())}=${secrets.cookie}; Path=/; HttpOnly; SameSite=Strict`;
    // The key doesn't stay in the address bar, nor in the history.
    if (keyIn(request) !== undefined) return reply.header('set-cookie', cookie).redirect('/', 303);
    return reply.type('text/html; charset=utf-8').send(page);
  });
  const script = assets.scripts.map(({ text }) => text).join('\n');
  server.get('/console.js', async (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(script),
  );
  server.get('/console.css', async (_request, reply) =>
    reply.type('text/css; charset=utf-8').send(assets.styles),
  );
}

const keysQuery = z.object({ at: z.coerce.number().int().min(0).optional() });
const versionsQuery = z.object({ key: z.string().min(1).max(4096) });
const momentQuery = z.object({ ms: z.coerce.number().min(0) });

function serveData(server: FastifyInstance, source: ConsoleSource): void {
  const { hub, history, replay, give } = source;
  server.get('/api/events', async (_request, reply) => streamEvents(source, reply));
  server.get('/api/keys', async ({ query }, reply) => {
    const at = parsed(keysQuery, query).at ?? history.to;
    const { from, to } = history;
    return reply.send({ from, to, at, keys: history.at(at), changes: history.changesAt(at) });
  });
  server.get('/api/versions', async ({ query }, reply) => {
    return reply.send({ versions: history.versionsOf(parsed(versionsQuery, query).key) });
  });
  if (replay !== undefined) {
    server.get('/api/timeline', async (_request, reply) => reply.send(replay.timeline));
    server.get('/api/moment', async ({ query }, reply) =>
      reply.send(replay.at(parsed(momentQuery, query).ms)),
    );
  }
  server.post('/api/orders', async ({ body }, reply) => {
    const cluster = hub.items.cluster;
    const limits = cluster?.is === 'cluster' ? cluster.limits : null;
    if (give === undefined) throw new RigError('unsupported', limits ?? 'nothing can be done here');
    give(parseOrder(body));
    return reply.code(202).send({});
  });
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new RigError('invalid', `that can't be asked: ${z.prettifyError(result.error)}`);
}

/** Server-sent events (HTML standard, 9.2), from now until the page is closed. */
function streamEvents({ hub }: ConsoleSource, reply: FastifyReply): void {
  reply.hijack();
  const { raw } = reply;
  const headers = { ...SAFE_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' };
  raw.writeHead(200, headers);
  raw.socket?.setNoDelay(true);
  raw.write('retry: 500\n\n');
  const stop = hub.listen(({ type, ...data }: HubEvent) => {
    if (raw.writableLength > MOST_UNSENT_BYTES) raw.destroy();
    else raw.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  raw.once('close', stop);
}
