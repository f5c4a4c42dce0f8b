// The JSON Schemas of the OpenAPI description (2020-12, which OpenAPI 3.1
// speaks), from the schemas that validate.

import { z } from 'zod';
import { clusterEventSchema } from '../../model/event.ts';
import { exportRuleSchema } from '../../model/export.ts';
import { mountSchema } from '../../model/mount.ts';
import { callbackBodySchema, subscriptionView } from '../../model/subscription.ts';
import { reservationSchema } from '../../model/volume.ts';
import { errorView, nodeView, volumeView } from './schemas.ts';

export type Json = Readonly<Record<string, unknown>>;
type Direction = 'input' | 'output';

/** Schemas that get a name; all others are spelt out where they are used. */
const NAMED: readonly (readonly [string, z.ZodType])[] = [
  ['Volume', volumeView],
  ['Mount', mountSchema],
  ['Node', nodeView],
  ['ClusterEvent', clusterEventSchema],
  ['Subscription', subscriptionView],
  ['Callback', callbackBodySchema],
  ['Error', errorView],
];

/** Named apart by direction: what may be left out of a request is always in a response. */
const NAMED_REQUESTS: readonly (readonly [string, z.ZodType])[] = [
  ['Reservation', reservationSchema],
  ['ExportRule', exportRuleSchema],
];

/** For `components.schemas`. */
export function namedSchemas(): Json {
  return Object.fromEntries([
    ...NAMED.map(([name, schema]) => [name, schemaOf(schema, 'output', name)]),
    ...NAMED_REQUESTS.map(([name, schema]) => [name, schemaOf(schema, 'input', name)]),
  ]);
}

/** Formats whose validation takes more than zod's pattern for them does, such as ::ffff:10.0.0.1. */
const BY_FORMAT_ALONE: readonly unknown[] = ['ipv4', 'ipv6', 'cidrv4', 'cidrv6'];

/** Named schemas become references, except `self`. */
export function schemaOf(schema: z.ZodType, io: Direction, self?: string): Json {
  const names = new Map<unknown, string>(
    (io === 'output' ? NAMED : NAMED_REQUESTS).map(([name, named]) => [named, name]),
  );
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema }) => {
      if (BY_FORMAT_ALONE.includes(jsonSchema.format)) delete jsonSchema.pattern;
      const name = names.get(zodSchema);
      if (name === undefined || name === self) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.$ref = `#/components/schemas/${name}`;
    },
  });
  return json;
}
