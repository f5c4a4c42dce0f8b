// The OpenAPI 3.1 description, generated from the schemas that validate.

import type { z } from 'zod';
import { type Json, namedSchemas, schemaOf } from './openapi-schema.ts';
import type { Answer, Protection, Route } from './route.ts';
import { errorView } from './schemas.ts';

/** Answers that a route may give, besides its own. */
const MALFORMED: Answer = {
  description: 'The request is malformed; `fields` says where.',
  schema: errorView,
};
const UNAVAILABLE: Answer = { description: "etcd can't be reached.", schema: errorView };
const IF_THERE_IS_A_BODY: Readonly<Record<number, Answer>> = {
  413: { description: 'The body is larger than 64 KiB.', schema: errorView },
  415: { description: 'The body is not application/json.', schema: errorView },
};
const TOO_LONG: Answer = {
  description: 'The address and the headers together are larger than 16 KiB; the connection is closed.',
  schema: errorView,
};
const BROKEN: Answer = {
  description: 'What etcd holds of it is malformed, or the API is; the log says more.',
  schema: errorView,
};
const KNOWN: Answer = {
  description: 'It is still what If-None-Match names.',
  headers: { etag: 'The same.' },
};
const UNAUTHORIZED: Answer = {
  description: 'The token is missing or wrong.',
  schema: errorView,
  headers: { 'www-authenticate': 'Bearer; with error="invalid_token" when another token was shown.' },
};
const TOO_MANY: Answer = {
  description: 'This client makes too many calls.',
  schema: errorView,
  headers: { 'retry-after': 'Seconds to wait.' },
};

const NO_PROTECTION: Protection = { token: false, certificate: false };

/** Describes the routes. The same routes and protection always give the same document. */
export function describeApi(routes: readonly Route[], protection: Protection = NO_PROTECTION): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, protection) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cobalt',
      version: '1',
      description:
        'Distributed BTRFS volumes, exported over NFS. Errors are JSON: `{error: {code, message, fields?}}`. A connection whose request does not arrive within 10 s is answered with 408 and closed. HEAD is answered as GET would be, without the body. A method that a path does not have, OPTIONS among them, is answered with 405 and Allow.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: namedSchemas(), securitySchemes: SECURITY_SCHEMES },
  };
}

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'The token in COBALT_API_TOKEN_FILE.' },
  certificate: {
    type: 'mutualTLS',
    description:
      'A certificate of the authorities in COBALT_TLS_CA_FILE, if COBALT_API_CLIENT_CERTS wants one.',
  },
};

function operation(route: Route, protection: Protection): Json {
  const parameters = [
    ...parametersOf('path', route.params),
    ...parametersOf('query', route.query),
    ...(route.conditional === true
      ? [header('If-Match', 'Only if it is still at this ETag: * or entity tags.')]
      : []),
    ...(route.resumable === true
      ? [header('Last-Event-ID', 'Resumes after this id, a revision of etcd. Default: from now on.')]
      : []),
    ...(isTagged(route) ? [header('If-None-Match', 'Only if it is not at this ETag any more.')] : []),
  ];
  const asksToken = protection.token && route.open !== true;
  return {
    operationId: route.id,
    summary: route.summary,
    security: [
      { ...(asksToken ? { token: [] } : {}), ...(protection.certificate ? { certificate: [] } : {}) },
    ],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: Object.fromEntries(
      Object.entries(answersOf(route)).map(([status, answer]) => [status, described(answer)]),
    ),
  };
}

/** Its own answers, and those of call.ts, server.ts and refusals.ts. */
function answersOf(route: Route): Readonly<Record<number, Answer>> {
  return {
    ...(route.local === true ? {} : { 400: MALFORMED }),
    431: TOO_LONG,
    ...(isTagged(route) ? { 304: KNOWN } : {}),
    ...(route.open === true ? {} : { 401: UNAUTHORIZED, 429: TOO_MANY }),
    // A deletion has none, but what is sent with it is looked at nevertheless.
    ...(route.method === 'GET' ? {} : IF_THERE_IS_A_BODY),
    ...(route.local === true ? {} : { 500: BROKEN, 503: UNAVAILABLE }),
    ...route.answers,
  };
}

/** A read whose answer has an ETag. */
const isTagged = ({ method, answers }: Route): boolean =>
  method === 'GET' && answers[200]?.headers?.etag !== undefined;

const header = (name: string, description: string): Json => ({
  name,
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description,
});

function parametersOf(where: 'path' | 'query', schema: z.ZodObject | undefined): readonly Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...json } = schemaOf(field as z.ZodType, 'input');
    const required = where === 'path' || !(field as z.ZodType).safeParse(undefined).success;
    return { name, in: where, required, schema: json, ...(description === undefined ? {} : { description }) };
  });
}

function described({ description, schema, contentType, headers }: Answer): Json {
  const content =
    schema !== undefined
      ? { 'application/json': { schema: schemaOf(schema, 'output') } }
      : contentType === undefined
        ? undefined
        : { [contentType]: { schema: { type: contentType === 'application/json' ? 'object' : 'string' } } };
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              { description: text, required: true, schema: { type: 'string' } },
            ]),
          ),
        }),
    ...(content === undefined ? {} : { content }),
  };
}
