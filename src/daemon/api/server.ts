// fastify as the transport of the API: HTTP(S), who may call and how often, limits
// and JSON. What a call means is none of its business.

import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { callRoute } from './call.ts';
import { type Calls, endConnections, endOf, endWith } from './connections.ts';
import { createMethodLookup, methodsOf } from './methods.ts';
import type { ApiMetrics } from './metrics.ts';
import { type ProtectionOptions, protect } from './protection.ts';
import {
  BODY_LIMIT_BYTES,
  HEADER_LIMIT_BYTES,
  NO_SUCH_CALL,
  rawRefusal,
  refusalOf,
  wrongMethod,
} from './refusals.ts';
import type { ApiContext, ApiResponse, Route } from './route.ts';
import { send } from './send.ts';

/** A client that has not sent its request by then has lost interest. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often node looks for such clients. */
const TIMEOUT_CHECK_MS = 1000;
/** Longer than a proxy's usual minute would keep connections that nobody uses. */
const KEEP_ALIVE_MS = 30_000;

/** Each takes a file descriptor and some tens of KB. */
const MAX_CONNECTIONS = 8192;

/**
 * Connections that may wait to be accepted, for listen(); the kernel may allow fewer (somaxconn). With
 * node's 511 a thousand clients that come at once while the process is busy are reset.
 */
export const LISTEN_BACKLOG = 4096;

export interface ServerOptions extends ProtectionOptions {
  readonly context: ApiContext;
  readonly metrics?: ApiMetrics;
  /** PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** With `tls`: whether clients must have a certificate of `ca`. Default: none. */
  readonly clientCerts?: 'none' | 'required';
  /** Until when a request must have arrived. Default: 10 s. */
  readonly requestTimeoutMs?: number;
  /** One more is closed at once. Default: 8192. */
  readonly maxConnections?: number;
}

/** The server, not yet listening. Closing it lets the calls under way end, but streams end at once. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS } = options;
  const connections = {
    maxHeaderSize: HEADER_LIMIT_BYTES,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, requestTimeoutMs),
    headersTimeout: requestTimeoutMs,
  };
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // What has arrived is answered, and the connection then closed: see endConnections.
    return503OnClosing: false,
    // Of streams fastify would read the body to its end.
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => send(reply as FastifyReply, refusalOf(error)),
    clientErrorHandler: (error, socket) => endWith(socket, rawRefusal(error.code), options.context.clock),
    ...(options.tls === undefined
      ? { http: connections }
      : {
          https: {
            ...connections,
            handshakeTimeout: requestTimeoutMs,
            ...options.tls,
            ...clientsOf(options),
          },
        }),
  }) as unknown as FastifyInstance;
  server.server.maxConnections = maxConnections;
  // JSON or nothing: fastify would take text as well.
  server.removeContentTypeParser('text/plain');
  allowEmptyJson(server);
  server.setErrorHandler((error: FastifyError, _request, reply) => send(reply, refusalOf(error)));
  const calls = endConnections(server);
  protect(server, options);
  const lookUp = createMethodLookup(options.routes);
  server.setNotFoundHandler((request, reply) => {
    const methods = lookUp(request.url);
    return send(reply, methods.length === 0 ? NO_SUCH_CALL : wrongMethod(methods));
  });
  server.register(async (scope) => {
    for (const route of options.routes) serve(scope, route, { ...options, calls });
  });
  return server;
}

/** Many clients name the type of a body that they don't send. Whether there must be one is for the call to say. */
function allowEmptyJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body, done);
  });
}

function clientsOf({ clientCerts }: ServerOptions) {
  const required = clientCerts === 'required';
  return { requestCert: required, rejectUnauthorized: required };
}

function serve(
  server: FastifyInstance,
  route: Route,
  { context, metrics, calls }: ServerOptions & { readonly calls: Calls },
): void {
  server.route({
    // HEAD as well (RFC 9110, 9.3.2): node sends no body then.
    method: methodsOf(route),
    url: route.path,
    handler: async (request, reply) => {
      const startedMs = context.clock.monotonicMs();
      const signal = endOf(reply, calls);
      const response = await callRoute(context, route, {
        params: request.params,
        query: route.local === true ? {} : request.query,
        body: request.body,
        ifMatch: request.headers['if-match'],
        ifNoneMatch: request.headers['if-none-match'],
        lastEventId: textOf(request.headers['last-event-id']),
        traceparent: textOf(request.headers.traceparent),
        signal,
      });
      metrics?.observe({
        method: request.method,
        route: route.path,
        status: response.status,
        durationMs: context.clock.monotonicMs() - startedMs,
      });
      return send(reply, request.method === 'HEAD' ? withoutStream(response) : response, signal);
    },
  });
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.join(', ');

/** What it would begin with. Its handler lets go of it when the reply is over. */
const withoutStream = ({ stream: _, cutOff: __, ...response }: ApiResponse): ApiResponse => response;
