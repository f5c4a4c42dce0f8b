// Values as their schema says, but cheaper: of what etcd holds one version after the
// other most parts are the same each time, and are looked at once.

import { z } from 'zod';

/** Of one field: what is different each time need not be kept. */
const MOST_KEPT = 10_000;

/** The value isn't as it must be, or has to be looked at as a whole: the schema says which, and what is wrong. */
export const UNREAD = Symbol('unread');

type Reader = (json: unknown) => unknown;

const readers = new WeakMap<z.ZodType, Reader>();

/**
 * What has this schema is read in parts. Parts are kept by what they say, for as long as the schema is, and
 * shared: nobody must change them. Not for what is secret.
 */
export function keepParts(schema: z.ZodObject): void {
  readers.set(schema, objectReader(schema, fieldReader));
}

/** What the schema makes of it; UNREAD of objects with checks on the whole, of those that lack a field, and of other schemas. */
export const readInParts = (schema: z.ZodType, json: unknown): unknown =>
  readers.get(schema)?.(json) ?? UNREAD;

/** An object in it is read by its own fields in turn: one that differs doesn't make all of it new. */
const fieldReader = (schema: z.core.$ZodType): Reader =>
  schema instanceof z.ZodObject ? objectReader(schema, partReader) : partReader(schema);

/** Reads objects with exactly the schema's fields. */
function objectReader(schema: z.ZodObject, readerFor: (schema: z.core.$ZodType) => Reader): Reader {
  if ((schema.def.checks ?? []).length > 0) return () => UNREAD;
  const fields = Object.entries(schema.shape).map(([name, field]) => ({ name, read: readerFor(field) }));
  return (json) => {
    if (typeof json !== 'object' || json === null || Object.keys(json).length !== fields.length)
      return UNREAD;
    const found: Record<string, unknown> = {};
    for (const { name, read } of fields) {
      if (!Object.hasOwn(json, name)) return UNREAD;
      const value = read((json as Record<string, unknown>)[name]);
      if (value === UNREAD) return UNREAD;
      found[name] = value;
    }
    return found;
  };
}

function partReader(schema: z.core.$ZodType): Reader {
  const plain = new Map<unknown, unknown>();
  const byText = new Map<string, unknown>();
  const kept = <Key>(known: Map<Key, unknown>, key: Key, json: unknown): unknown => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const result = (schema as z.ZodType).safeParse(json);
    if (!result.success) return UNREAD;
    if (known.size >= MOST_KEPT) known.clear();
    if (result.data !== undefined) known.set(key, result.data);
    return result.data;
  };
  return (json) =>
    typeof json === 'object' && json !== null
      ? kept(byText, JSON.stringify(json), json)
      : kept(plain, json, json);
}
