// Stored objects, parsed as their schema says but cheaper: of what etcd holds one
// version after the other most parts are the same each time, and are looked at once.

import type { z } from 'zod';
import { parseStored } from '../../model/parse.ts';

type Stored = { readonly key: string; readonly value: string };

/** Of one field: what is different each time need not be kept. */
const MOST_KEPT = 10_000;
const MISSING = Symbol('missing');

/**
 * Answers as `parseStored` does, and throws what it throws. Parts are kept by their text, for
 * as long as the reader is. Of a schema with checks on the object as a whole nothing is kept.
 */
export function createReader<Schema extends z.ZodObject>(
  schema: Schema,
  { inParts = [] }: { readonly inParts?: readonly (keyof Schema['shape'] & string)[] } = {},
): (stored: Stored) => z.output<Schema> {
  const readObject = objectReader(schema, new Set(inParts));
  return (stored) => {
    const json = parsed(stored.value);
    const read = readObject(json);
    // Whatever isn't as it must be is looked at again, so that one place alone says what is wrong.
    return read === MISSING ? parseStored(schema, stored) : (read as z.output<Schema>);
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads objects with exactly the schema's fields; anything else is MISSING. `inParts`: those read by their own fields in turn. */
function objectReader(schema: z.ZodObject, inParts: ReadonlySet<string>): (json: unknown) => unknown {
  if ((schema.def.checks ?? []).length > 0) return () => MISSING;
  const fields = Object.entries(schema.shape).map(([name, field]) => {
    const object = inParts.has(name) ? (field as unknown as z.ZodObject) : undefined;
    return { name, read: object === undefined ? partReader(field) : objectReader(object, new Set()) };
  });
  return (json) => {
    if (typeof json !== 'object' || json === null || Object.keys(json).length !== fields.length)
      return MISSING;
    const found: Record<string, unknown> = {};
    for (const { name, read } of fields) {
      if (!Object.hasOwn(json, name)) return MISSING;
      const value = read((json as Record<string, unknown>)[name]);
      if (value === MISSING) return MISSING;
      found[name] = value;
    }
    return found;
  };
}

function partReader(schema: z.core.$ZodType): (json: unknown) => unknown {
  const known = new Map<string, unknown>();
  return (json) => {
    const text = JSON.stringify(json);
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = (schema as z.ZodType).safeParse(json);
    if (!result.success) return MISSING;
    if (known.size >= MOST_KEPT) known.clear();
    if (result.data !== undefined) known.set(text, result.data);
    return result.data;
  };
}
