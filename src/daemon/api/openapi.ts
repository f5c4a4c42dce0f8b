// The OpenAPI 3.1 description, generated from the schemas that validate.

import { z } from 'zod';
import { exportRuleSchema } from '../../model/export.ts';
import { nodeSchema } from '../../model/node.ts';
import { reservationSchema } from '../../model/volume.ts';
import type { Answer, Route } from './route.ts';
import { errorView, mountSchema, volumeView } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;
type Direction = 'input' | 'output';

/** Schemas that get a name; all others are spelt out where they are used. */
const NAMED: readonly (readonly [string, z.ZodType])[] = [
  ['Volume', volumeView],
  ['Mount', mountSchema],
  ['Node', nodeSchema],
  ['Error', errorView],
];

/** Named apart by direction: what may be left out of a request is always in a response. */
const NAMED_REQUESTS: readonly (readonly [string, z.ZodType])[] = [
  ['Reservation', reservationSchema],
  ['ExportRule', exportRuleSchema],
];

/** Answers that any route may give, besides its own. */
const MALFORMED: Answer = {
  description: 'The request is malformed; `fields` says where.',
  schema: errorView,
};
const UNAVAILABLE: Answer = { description: "etcd can't be reached.", schema: errorView };
const WITH_BODY: Readonly<Record<number, Answer>> = {
  413: { description: 'The body is larger than 64 KiB.', schema: errorView },
  415: { description: 'The body is not application/json.', schema: errorView },
};

/** Describes the routes. The same routes always give the same document. */
export function describeApi(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  const named = [
    ...NAMED.map(([name, schema]) => [name, schemaOf(schema, 'output', name)]),
    ...NAMED_REQUESTS.map(([name, schema]) => [name, schemaOf(schema, 'input', name)]),
  ];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cobalt',
      version: '1',
      description:
        'Distributed BTRFS volumes, exported over NFS. Errors are JSON: `{error: {code, message, fields?}}`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: Object.fromEntries(named) },
  };
}

function operation(route: Route): Json {
  const answers: Record<number, Answer> = { ...route.answers };
  if (route.params !== undefined || route.body !== undefined) answers[400] ??= MALFORMED;
  if (route.body !== undefined) Object.assign(answers, { ...WITH_BODY, ...route.answers });
  if (route.local !== true) answers[503] ??= UNAVAILABLE;
  const parameters = [
    ...Object.entries(route.params?.shape ?? {}).map(([name, schema]) => ({
      name,
      in: 'path',
      required: true,
      schema: schemaOf(schema as z.ZodType, 'input'),
    })),
    ...(route.conditional === true
      ? [
          {
            name: 'If-Match',
            in: 'header',
            required: false,
            schema: { type: 'string' },
            description: 'An ETag.',
          },
        ]
      : []),
  ];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, described(answer)]),
    ),
  };
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
              { description: text, schema: { type: 'string' } },
            ]),
          ),
        }),
    ...(content === undefined ? {} : { content }),
  };
}

/** JSON Schema of 2020-12, which OpenAPI 3.1 speaks; named schemas become references, except `self`. */
function schemaOf(schema: z.ZodType, io: Direction, self?: string): Json {
  const names = new Map<unknown, string>(
    (io === 'output' ? NAMED : NAMED_REQUESTS).map(([name, named]) => [named, name]),
  );
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const name = names.get(zodSchema);
      if (name === undefined || name === self) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.$ref = `#/components/schemas/${name}`;
    },
  });
  return json;
}
