// fastify as the transport of the API: HTTP, limits and JSON. What a call means
// is none of its business.

import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { callRoute } from './call.ts';
import type { ApiMetrics } from './metrics.ts';
import { type ApiContext, type ApiResponse, problem, type Route } from './route.ts';

export const BODY_LIMIT_BYTES = 64 * 1024;
/** A client that has not sent its request by then has lost interest. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface ServerOptions {
  readonly context: ApiContext;
  readonly routes: readonly Route[];
  readonly metrics?: ApiMetrics;
}

/** The server, not yet listening. Closing it lets the calls under way end. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { context, metrics } = options;
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => send(reply as FastifyReply, refusalOf(error)),
    clientErrorHandler: (_error, socket) => {
      if (!socket.writable) return;
      const body = JSON.stringify(problem(400, 'malformed', 'This is not an HTTP request.').json);
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    },
  });
  // JSON or nothing: fastify would take text as well.
  server.removeContentTypeParser('text/plain');
  server.setErrorHandler((error: FastifyError, _request, reply) => send(reply, refusalOf(error)));
  server.setNotFoundHandler((_request, reply) =>
    send(reply, problem(404, 'no_such_call', 'There is no such call; /openapi.json lists them all.')),
  );
  for (const route of options.routes) {
    server.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const startedMs = context.clock.monotonicMs();
        const response = await callRoute(context, route, {
          params: request.params,
          body: request.body,
          ifMatch: request.headers['if-match'],
        });
        metrics?.observe({
          method: route.method,
          route: route.path,
          status: response.status,
          durationMs: context.clock.monotonicMs() - startedMs,
        });
        return send(reply, response);
      },
    });
  }
  return server;
}

function send(reply: FastifyReply, response: ApiResponse): FastifyReply {
  reply.code(response.status);
  if (response.headers !== undefined) reply.headers(response.headers);
  if (response.json !== undefined) {
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(response.json));
  }
  return reply.send(response.text);
}

/** fastify's own refusals, in the shape of all others. */
function refusalOf(error: FastifyError): ApiResponse {
  const status = error.statusCode ?? 500;
  if (status === 413) {
    return problem(413, 'too_large', `The body must not be larger than ${BODY_LIMIT_BYTES} bytes.`);
  }
  if (status === 415) return problem(415, 'unsupported_media_type', 'The body must be application/json.');
  if (status >= 400 && status < 500) return problem(400, 'malformed', error.message);
  return problem(500, 'internal', 'The call failed for a reason of its own.');
}
