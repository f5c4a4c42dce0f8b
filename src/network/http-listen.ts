// Taking calls by HTTP: streams in at the pace of the handler, short answers out.

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { textHeaders } from './headers.ts';
import {
  type Bytes,
  type Handler,
  LARGEST_ANSWER_BYTES,
  type Listener,
  type NetworkResponse,
} from './network.ts';
import type { NetworkTls } from './tls.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** A connection on which nothing moves for so long has lost its other end. */
const IDLE_TIMEOUT_MS = 120_000;
/** How long a caller that was answered early may go on sending: closed at once, it might miss the answer. */
const LINGER_MS = 2000;
const MOST_CONNECTIONS = 512;

export async function listenHttp(
  options: { readonly clock: Clock; readonly tls?: NetworkTls },
  at: { readonly host: string; readonly port: number },
  handler: Handler,
): Promise<Listener> {
  const { clock, tls } = options;
  const serve = (request: IncomingMessage, response: ServerResponse): void =>
    void answer({ clock, handler }, request, response);
  const server =
    tls === undefined
      ? createHttpServer(serve)
      : createHttpsServer(
          {
            ...{ cert: tls.cert, key: tls.key, ca: tls.ca },
            requestCert: tls.requireClientCert,
            rejectUnauthorized: tls.requireClientCert,
          },
          serve,
        );
  server.requestTimeout = 0;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const { address, port } = await bind(server, at);
  return { host: address, port, close: (until) => close(server, until) };
}

function bind(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const refused = (cause: Error): void =>
      reject(new RigError('unavailable', `can't listen on ${host}:${port}: ${cause.message}`, { cause }));
    server.once('error', refused);
    server.listen({ host, port }, () => {
      server.off('error', refused);
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server, until: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => server.closeAllConnections();
    server.close(() => {
      until?.removeEventListener('abort', cut);
      resolve();
    });
    if (until === undefined || until.aborted) cut();
    else until.addEventListener('abort', cut, { once: true });
  });
}

async function answer(
  { clock, handler }: { readonly clock: Clock; readonly handler: Handler },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  // A broken connection is told by `close`; unheard, these would end the process.
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const answered = await handler({
    method: request.method ?? '',
    path: request.url ?? '',
    headers: textHeaders(request.headers),
    body: bodyOf(request),
    signal: gone.signal,
  }).catch((): NetworkResponse => ({ status: 500, headers: {}, body: '' }));
  if (gone.signal.aborted) return;
  const fits = Buffer.byteLength(answered.body) <= LARGEST_ANSWER_BYTES;
  const { status, body } = fits ? answered : { status: 500, body: '' };
  response.writeHead(status, {
    ...(fits ? answered.headers : {}),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
    connection: 'close',
  });
  response.end(body);
  if (!request.complete) linger(clock, request);
}

/** Takes what still comes and throws it away, for a while. */
function linger(clock: Clock, request: IncomingMessage): void {
  const cancel = clock.after(LINGER_MS, () => request.destroy());
  request.once('close', cancel);
  request.resume();
}

async function* bodyOf(request: IncomingMessage): Bytes {
  try {
    // Not destroyed by a reader that stops early: the answer needs the connection.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  } catch (cause) {
    throw new RigError('unavailable', 'the caller went away', { definite: false, cause });
  }
}
