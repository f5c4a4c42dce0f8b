// What a live cluster is made of, for a copy of it: read from its etcd or through its API,
// and nothing written there.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX } from '../kv/keys.ts';
import type { KeyValue, Kv } from '../kv/kv.ts';
import { type Labels, labelsSchema, nodeNameSchema } from '../model/names.ts';
import { type Node, nodeSchema, nodeSpecSchema } from '../model/node.ts';
import { readable } from '../model/parse.ts';
import { type Volume, volumeSchema } from '../model/volume.ts';
import type { Network } from '../network/network.ts';

export interface SourceNode {
  readonly name: string;
  readonly labels: Labels;
  readonly capacityGib: number;
  readonly draining: boolean;
  readonly alive: boolean;
}

export interface Source {
  readonly nodes: readonly SourceNode[];
  readonly volumes: readonly Volume[];
  /** Keys, or entries of lists, that can't be read. */
  readonly malformed: readonly string[];
}

/** Only as much as an answer may hold (network/network.ts), with all that may be noted of a volume. */
const PAGE = 25;
const TIMEOUT_MS = 10_000;

const MEANT = 'an API that needs no token, or of its etcd';

/** All as of one revision. Rejects as the store does. */
export async function readEtcd(kv: Pick<Kv, 'list'>): Promise<Source> {
  const volumes = await kv.list(VOLUMES_PREFIX);
  const { revision } = volumes;
  const [nodes, specs] = await Promise.all([
    kv.list(NODES_PREFIX, { revision }),
    kv.list(SPECS_PREFIX, { revision }),
  ]);
  const malformed: string[] = [];
  const valuesOf = <Schema extends z.ZodType>(schema: Schema, kvs: readonly KeyValue[]) =>
    readable(schema, { kvs, onMalformed: ({ key }) => malformed.push(key) });
  const live = new Map(valuesOf(nodeSchema, nodes.kvs).map(({ value }) => [value.name, value]));
  const kept = new Map(
    valuesOf(nodeSpecSchema, specs.kvs).map(({ kv: { key }, value }) => [nameIn(SPECS_PREFIX, key), value]),
  );
  return {
    nodes: [...new Set([...live.keys(), ...kept.keys()])].sort().flatMap((name) => {
      const [node, spec] = [live.get(name), kept.get(name)];
      const known: Pick<Node, 'labels' | 'capacity'> | undefined = spec ?? node;
      if (known === undefined) return [];
      const { labels, capacity } = known;
      return {
        ...{ name, labels, capacityGib: capacity },
        ...{ draining: spec?.draining ?? false, alive: node !== undefined },
      };
    }),
    volumes: valuesOf(volumeSchema, volumes.kvs).map(({ value }) => value),
    malformed,
  };
}

const nodeEntry = z.object({
  name: nodeNameSchema,
  labels: labelsSchema,
  capacity: z.number().positive(),
  draining: z.boolean(),
  alive: z.boolean(),
});

/** Through the API at the URL. What changes while the pages are read may be missing, or be there twice in part. */
export async function readApi(url: string, network: Network): Promise<Source> {
  const [nodes, volumes] = await Promise.all([
    pagesOf(network, { url: `${url}/nodes?alive=any`, list: 'nodes' }),
    pagesOf(network, { url: `${url}/volumes?`, list: 'volumes' }),
  ]);
  const malformed: string[] = [];
  const valuesOf = <T>(entries: readonly unknown[], schema: z.ZodType<T>): readonly T[] =>
    entries.flatMap((entry) => {
      const result = schema.safeParse(entry);
      if (result.success) return [result.data];
      malformed.push(JSON.stringify(entry).slice(0, 100));
      return [];
    });
  return {
    nodes: valuesOf(nodes, nodeEntry).map(({ capacity, ...node }) => ({ ...node, capacityGib: capacity })),
    // The API says besides where to mount it.
    volumes: valuesOf(volumes, z.object(volumeSchema.shape)),
    malformed,
  };
}

async function pagesOf(
  network: Network,
  { url, list }: { readonly url: string; readonly list: 'nodes' | 'volumes' },
): Promise<readonly unknown[]> {
  const schema = z.looseObject({ [list]: z.array(z.unknown()), next: z.string().nullable() });
  const found: unknown[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page = `${url}&limit=${PAGE}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`;
    const { status, body } = await network.call({ method: 'GET', url: page, timeoutMs: TIMEOUT_MS });
    if (status !== 200) {
      throw new RigError('unavailable', `GET ${page}: ${status} ${body.slice(0, 200)}`, {
        next: `Give the address of ${MEANT}.`,
      });
    }
    const { [list]: entries, next } = parsed(schema, { page, body });
    found.push(...(entries as readonly unknown[]));
    after = next as string | null;
  }
  return found;
}

function parsed<T>(
  schema: z.ZodType<T>,
  { page, body }: { readonly page: string; readonly body: string },
): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new RigError('invalid', `GET ${page}: no list of Cobalt's: ${body.slice(0, 100)}`, {
      next: `Give the address of ${MEANT}.`,
      cause,
    });
  }
}

/** What answers there, by what it says of its version. Throws `unavailable` when nothing does. */
export async function kindOf(url: string, network: Network): Promise<'etcd' | 'api'> {
  const { body } = await network
    .call({ method: 'GET', url: `${url}/version`, timeoutMs: TIMEOUT_MS })
    .catch((cause: unknown) => {
      const { code, message } = RigError.from(cause);
      throw new RigError(code, message, { next: `Give the address of ${MEANT}.`, cause });
    });
  return body.includes('etcdserver') ? 'etcd' : 'api';
}
