// Nothing that comes from etcd or from a client is believed before a schema has seen it.

import type { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { readInParts, UNREAD } from './reader.ts';
import { plainWords } from './words.ts';

/** A field that was refused: where it is, as a path such as `exports.0.host`, and why. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export function fieldErrors(error: z.ZodError): readonly FieldError[] {
  return error.issues.flatMap((issue): FieldError[] => {
    const path = issue.path.map(String);
    // zod blames the object for a key that it doesn't know; the reader looks for the key.
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }));
    }
    const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
    return [{ path: path.join('.'), message: plainWords(inner ?? issue) }];
  });
}

interface Stored {
  readonly key: string;
  readonly value: string;
}

/** What was made of a stored value that somebody keeps, such as a view of etcd: it is looked at again and again. */
const known = new WeakMap<Stored, { readonly schema: z.ZodType; readonly parsed: unknown }>();

/**
 * Parses a stored JSON value; throws `invalid`, naming the key and the first field at fault. Of the same object
 * it is the same value again, which nobody must change.
 */
export function parseStored<Schema extends z.ZodType>(schema: Schema, stored: Stored): z.output<Schema> {
  const before = known.get(stored);
  if (before?.schema === schema) return before.parsed as z.output<Schema>;
  const parsed = parse(schema, stored);
  known.set(stored, { schema, parsed });
  return parsed;
}

function parse<Schema extends z.ZodType>(schema: Schema, stored: Stored): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(stored.value);
  } catch (error) {
    throw new RigError('invalid', `the value of ${stored.key} is not JSON`, { cause: error });
  }
  const read = readInParts(schema, json);
  if (read !== UNREAD) return read as z.output<Schema>;
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [first] = fieldErrors(result.error);
  const at = first?.path === '' ? '' : ` at '${first?.path}'`;
  throw new RigError('invalid', `the value of ${stored.key} is malformed${at}: ${first?.message}`);
}

/** Those that can be read: one malformed value must not hide all the others. */
export function readable<Schema extends z.ZodType, Kv extends Stored>(
  schema: Schema,
  options: {
    readonly kvs: readonly Kv[];
    readonly onMalformed: (kv: Kv, cause: unknown) => void;
  },
): { readonly kv: Kv; readonly value: z.output<Schema> }[] {
  return options.kvs.flatMap((kv) => {
    try {
      return [{ kv, value: parseStored(schema, kv) }];
    } catch (cause) {
      options.onMalformed(kv, cause);
      return [];
    }
  });
}
