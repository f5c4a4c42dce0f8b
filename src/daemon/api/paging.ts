// Long lists, page by page. A page is read as of one revision, however many reads it takes.

import { z } from 'zod';
import { hasCode, RigError } from '../../base/errors.ts';
import { nameIn } from '../../kv/keys.ts';
import type { Kv, ListOptions, ListResult } from '../../kv/kv.ts';
import { readable } from '../../model/parse.ts';
import { malformedTo } from './malformed.ts';
import type { ApiContext } from './route.ts';

/** The longest page, and that of whoever doesn't say. */
const PAGE_LIMIT = 1000;
/** What is read from etcd at a time: a whole page, and whether there is more. */
const READ_LIMIT = PAGE_LIMIT + 1;

/** `limit` of a list: in a query, everything is text. */
export const limitSchema = z
  .string()
  .regex(/^([1-9][0-9]{0,2}|1000)$/, `must be a whole number from 1 to ${PAGE_LIMIT}`)
  .transform(Number)
  .default(PAGE_LIMIT)
  .meta({ description: 'How many at most, from 1 to 1000. Default: 1000.' });

export interface PageOptions<Schema extends z.ZodType> {
  readonly prefix: string;
  readonly schema: Schema;
  readonly limit: number;
  /** Begins after the entry of this name, which need not be there any more. */
  readonly after?: string | undefined;
  /** Leaves out what it doesn't hold for. Default: nothing. */
  readonly keep?: (value: z.output<Schema>) => boolean;
}

export interface Page<T> {
  readonly values: readonly T[];
  /** Where the next page begins: after the entry of this name; null when this is the last page. */
  readonly next: string | null;
}

/** Values that can't be read are left out and logged. */
export async function readPage<Schema extends z.ZodType>(
  { kv, log }: ApiContext,
  { prefix, schema, limit, after, keep }: PageOptions<Schema>,
): Promise<Page<z.output<Schema>>> {
  const found: { readonly key: string; readonly value: z.output<Schema> }[] = [];
  let from = after === undefined ? undefined : `${prefix}${after}`;
  let revision: number | undefined;
  for (let more = true; more && found.length <= limit; ) {
    const listed = await listAt(kv, prefix, {
      limit: keep === undefined ? Math.min(READ_LIMIT, limit + 1 - found.length) : READ_LIMIT,
      ...(from === undefined ? {} : { after: from }),
      ...(revision === undefined ? {} : { revision }),
    });
    revision ??= listed.revision;
    for (const { kv: stored, value } of readable(schema, {
      kvs: listed.kvs,
      onMalformed: malformedTo(log),
    })) {
      if (keep?.(value) !== false) found.push({ key: stored.key, value });
    }
    from = listed.kvs.at(-1)?.key;
    more = listed.more && from !== undefined;
  }
  const values = found.slice(0, limit);
  const last = values.at(-1);
  const next = found.length > limit && last !== undefined ? nameIn(prefix, last.key) : null;
  return { values: values.map(({ value }) => value), next };
}

/** The revision was the store's own: one that it has yet to reach is lost to it, as after it was put back to a backup. */
async function listAt(kv: Kv, prefix: string, options: ListOptions): Promise<ListResult> {
  try {
    return await kv.list(prefix, options);
  } catch (error) {
    if (options.revision === undefined || !hasCode(error, 'invalid')) throw error;
    throw new RigError('compacted', `etcd has lost revision ${options.revision}`, { cause: error });
  }
}

/** Every value under a prefix. */
export async function readAll<Schema extends z.ZodType>(
  context: ApiContext,
  options: { readonly prefix: string; readonly schema: Schema },
): Promise<readonly z.output<Schema>[]> {
  return (await readPage(context, { ...options, limit: Number.POSITIVE_INFINITY })).values;
}
