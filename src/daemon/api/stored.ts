// Reading what etcd holds, for handlers: validated, and with its revision.

import type { z } from 'zod';
import type { Log } from '../../base/log.ts';
import { NODES_PREFIX, nodeKey, VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type Node, nodeSchema } from '../../model/node.ts';
import { parseStored, readable } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import type { ApiContext, ApiResponse } from './route.ts';
import type { volumeView } from './schemas.ts';

export interface Stored<T> {
  readonly value: T;
  readonly modRevision: number;
}

export async function readVolume({ kv }: ApiContext, id: string): Promise<Stored<Volume> | undefined> {
  const found = (await kv.get(volumeKey(id))).kv;
  if (found === undefined) return undefined;
  return { value: parseStored(volumeSchema, found), modRevision: found.modRevision };
}

export async function readNode({ kv }: ApiContext, name: string): Promise<Stored<Node> | undefined> {
  const found = (await kv.get(nodeKey(name))).kv;
  if (found === undefined) return undefined;
  return { value: parseStored(nodeSchema, found), modRevision: found.modRevision };
}

export async function listVolumes({ kv, log }: ApiContext): Promise<readonly Volume[]> {
  return readable(volumeSchema, {
    kvs: (await kv.list(VOLUMES_PREFIX)).kvs,
    onMalformed: malformedTo(log),
  }).map(({ value }) => value);
}

export async function listNodes({ kv, log }: ApiContext): Promise<readonly Node[]> {
  return readable(nodeSchema, {
    kvs: (await kv.list(NODES_PREFIX)).kvs,
    onMalformed: malformedTo(log),
  }).map(({ value }) => value);
}

const malformedTo =
  (log: Log) =>
  ({ key }: KeyValue, cause: unknown): void =>
    log.error('stored.malformed', { key, cause });

/** The volume as a client sees it, given the node that it is on, if that is registered. */
export function viewOf(volume: Volume, node: Node | undefined): z.input<typeof volumeView> {
  const mounted = volume.actual !== null && node !== undefined && node.name === volume.node;
  return {
    ...volume,
    mount: mounted ? { server: node.address, path: `/${volume.id}`, options: 'vers=4.1' } : null,
  };
}

/** An entity tag of RFC 9110: the modification revision in quotes. */
export const etagOf = (modRevision: number): string => `"${modRevision}"`;

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
  return { status, headers: { etag: etagOf(modRevision), ...headers }, json: viewOf(value, node) };
}
