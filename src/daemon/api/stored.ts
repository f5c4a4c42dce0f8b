// Reading what etcd holds, for handlers: validated, and with its revision.

import type { z } from 'zod';
import type { Log } from '../../base/log.ts';
import { NODES_PREFIX, nodeKey, VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type Node, nodeSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
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
  return readable(volumeSchema, (await kv.list(VOLUMES_PREFIX)).kvs, log);
}

export async function listNodes({ kv, log }: ApiContext): Promise<readonly Node[]> {
  return readable(nodeSchema, (await kv.list(NODES_PREFIX)).kvs, log);
}

/** One malformed value must not hide all the others; it is logged and left out. */
function readable<Schema extends z.ZodType>(
  schema: Schema,
  kvs: readonly KeyValue[],
  log: Log,
): z.output<Schema>[] {
  return kvs.flatMap((kv) => {
    try {
      return [parseStored(schema, kv)];
    } catch (error) {
      log.error('stored.malformed', { key: kv.key, cause: error });
      return [];
    }
  });
}

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

/** A volume as the body of a response, with its ETag. */
export async function volumeResponse(
  context: ApiContext,
  status: number,
  stored: Stored<Volume>,
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiResponse> {
  const { value: volume, modRevision } = stored;
  // Only a created volume has a mount, and only then is its node of interest.
  const node =
    volume.node === null || volume.actual === null
      ? undefined
      : (await readNode(context, volume.node))?.value;
  return { status, headers: { etag: etagOf(modRevision), ...headers }, json: viewOf(volume, node) };
}
