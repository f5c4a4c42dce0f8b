// What the transport itself refuses, in the shape of all other errors: fastify's
// complaints, and what node's HTTP parser says about bytes that are no request.

import type { FastifyError } from 'fastify';
import { type ApiResponse, problem } from './route.ts';

export const BODY_LIMIT_BYTES = 64 * 1024;
export const HEADER_LIMIT_BYTES = 16 * 1024;

/** An error on its way through fastify, as a response. */
export function refusalOf(error: FastifyError): ApiResponse {
  const status = error.statusCode ?? 500;
  if (status === 413) {
    return problem(413, 'too_large', `The body must not be larger than ${BODY_LIMIT_BYTES} bytes.`);
  }
  if (status === 415) return problem(415, 'unsupported_media_type', 'The body must be application/json.');
  if (status === 429) return problem(429, 'too_many_calls', 'There were too many calls; wait a second.');
  if (status >= 400 && status < 500) return problem(400, 'malformed', error.message);
  return problem(500, 'internal', 'The call failed for a reason of its own.');
}

export const NO_SUCH_CALL = problem(
  404,
  'no_such_call',
  'There is no such call; /openapi.json lists them all.',
);

/** RFC 9110, section 15.5.6. */
export function wrongMethod(allowed: readonly string[]): ApiResponse {
  const allow = allowed.join(', ');
  return {
    ...problem(405, 'wrong_method', `There is no such call here; there is ${allow}.`),
    headers: { allow },
  };
}

/** RFC 6750, section 3: to whoever shows no token at all no error is named. */
export const NO_TOKEN: ApiResponse = {
  ...problem(401, 'unauthorized', 'The API wants a token: Authorization: Bearer <token>.'),
  headers: { 'www-authenticate': 'Bearer' },
};

export const WRONG_TOKEN: ApiResponse = {
  ...problem(
    401,
    'unauthorized',
    "The token that was shown isn't the API's: see COBALT_API_TOKEN_FILE of the node.",
  ),
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
};

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** What is sent to a connection that no request could be read from, before it is closed. */
export function rawRefusal(code: string | undefined): string {
  const { status, json } = unreadable(code);
  const body = JSON.stringify(json);
  return [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    // All that is said here is ASCII.
    `content-length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** `code`: of node's HTTP server (https://nodejs.org/api/http.html#event-clienterror). */
function unreadable(code: string | undefined): ApiResponse {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem(408, 'timeout', 'The request did not arrive in time.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem(431, 'too_large', `The headers must not be larger than ${HEADER_LIMIT_BYTES} bytes.`);
  }
  return problem(400, 'malformed', 'This is not an HTTP request.');
}
