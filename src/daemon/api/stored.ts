// Reading what etcd holds, for handlers: validated, and with its revision.

import type { z } from 'zod';
import { sha256 } from '../../base/digest.ts';
import { nodeKey, volumeKey } from '../../kv/keys.ts';
import { mountOf } from '../../model/mount.ts';
import { type Node, nodeSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import type { ApiContext, ApiResponse } from './route.ts';
import type { volumeView } from './schemas.ts';

const VARIANT_DIGITS = 12;

export interface Stored<T> {
  readonly value: T;
  readonly modRevision: number;
}

/** The value of one key; undefined when there is none. Throws `invalid` for one that is malformed. */
export async function readStored<Schema extends z.ZodType>(
  { kv }: ApiContext,
  schema: Schema,
  key: string,
): Promise<Stored<z.output<Schema>> | undefined> {
  const found = (await kv.get(key)).kv;
  if (found === undefined) return undefined;
  return { value: parseStored(schema, found), modRevision: found.modRevision };
}

export function readVolume(context: ApiContext, id: string): Promise<Stored<Volume> | undefined> {
  return readStored(context, volumeSchema, volumeKey(id));
}

export function readNode(context: ApiContext, name: string): Promise<Stored<Node> | undefined> {
  return readStored(context, nodeSchema, nodeKey(name));
}

/** The volume as a client sees it, given the node that it is on, if that is registered. */
export function viewOf(volume: Volume, node: Node | undefined): z.input<typeof volumeView> {
  return { ...volume, mount: mountOf(volume, node) };
}

/**
 * An entity tag of RFC 9110: the modification revision in quotes. `variant` tells apart what else an
 * answer depends on; a change is only ever about the revision.
 */
export const etagOf = (modRevision: number, variant?: string): string =>
  variant === undefined ? `"${modRevision}"` : `"${modRevision}-${variant}"`;

/** Of what an answer says besides the value of its key. */
const variantOf = (view: unknown): string => sha256(JSON.stringify(view)).slice(0, VARIANT_DIGITS);

/** If-Match of RFC 9110, sections 5.6.1, 8.8.3 and 13.1.1: `*`, or entity tags with commas between, or more of those. */
const IF_MATCH =
  /^(\*|[\s,]*(W\/)?"[\x21\x23-\x7e\x80-\xff]*"(\s*,[\s,]*(W\/)?"[\x21\x23-\x7e\x80-\xff]*")*[\s,]*)$/;

export const isIfMatch = (text: string): boolean => IF_MATCH.test(text.trim());

/** Of an If-Match that is one, or absent; only strong tags count, of any variant. */
export function matches(ifMatch: string | undefined, modRevision: number): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true;
  const own = new RegExp(`^"${modRevision}(-[a-z0-9.-]*)?"$`);
  return ifMatch.split(',').some((tag) => own.test(tag.trim()));
}

/** A volume as the body of a 200, with its ETag. */
export async function readResponse(context: ApiContext, stored: Stored<Volume>): Promise<ApiResponse> {
  return volumeResponse(200, stored, await nodeOf(context, stored.value));
}

/**
 * A volume that was just written as the body of a 202. Never rejects: a node that
 * can't be read must not make a change that was made look as if it was not.
 */
export async function writtenResponse(
  context: ApiContext,
  stored: Stored<Volume>,
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiResponse> {
  const node = await nodeOf(context, stored.value).catch((error: unknown) => {
    context.log.warn('node.unreadable', { node: stored.value.node, cause: error });
    return undefined;
  });
  return volumeResponse(202, stored, node, headers);
}

/** Only a created volume has a mount, and only then is its node of interest. */
async function nodeOf(context: ApiContext, { node, actual }: Volume): Promise<Node | undefined> {
  return node === null || actual === null ? undefined : (await readNode(context, node))?.value;
}

function volumeResponse(
  status: number,
  { value, modRevision }: Stored<Volume>,
  node: Node | undefined,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  const json = viewOf(value, node);
  // Where to mount it is the node's, and changes without the volume.
  const variant = value.actual === null ? undefined : variantOf(json.mount);
  return { status, headers: { etag: etagOf(modRevision, variant), ...headers }, json };
}
