// Nodes as clients see them: what the agent says while it lives, what the spec
// keeps of a node that is away, and what is reserved there.

import type { z } from 'zod';
import { reservedGib } from '../../base/units.ts';
import { NODES_PREFIX, nodeKey, SPECS_PREFIX, specKey, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type Node, type NodeSpec, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { parseStored, readable } from '../../model/parse.ts';
import { reservationsOf, type Volume, volumeSchema } from '../../model/volume.ts';
import { malformedTo } from './malformed.ts';
import { readAll } from './paging.ts';
import type { ApiContext } from './route.ts';
import type { nodeView } from './schemas.ts';
import { etagOf } from './stored.ts';

export type NodeView = z.output<typeof nodeView>;

/** What etcd holds of one node; a live one may lack its spec for a moment, one that is away its key. */
export interface KnownNode {
  readonly name: string;
  readonly live: Node | undefined;
  readonly spec: NodeSpec | undefined;
  /** 0: there is no such key. */
  readonly liveRevision: number;
  readonly specRevision: number;
}

export interface Reserved {
  readonly count: number;
  readonly bytes: number;
}

const NOTHING: Reserved = { count: 0, bytes: 0 };

/**
 * A node and what is reserved on it; undefined when there is no such node. Volumes first: what has been given away by
 * then, its agent has told of before, so nobody reads that the node has no volumes and that nothing remains on it.
 */
export async function observeNode(
  context: ApiContext,
  name: string,
): Promise<{ readonly known: KnownNode; readonly reserved: Reserved } | undefined> {
  const reserved = reservedByNode(await readVolumes(context)).get(name) ?? NOTHING;
  const known = await readKnownNode(context, name);
  return known && { known, reserved };
}

/** Undefined when neither its agent lives nor a spec is kept. Throws `invalid` for a malformed value. */
export async function readKnownNode({ kv }: ApiContext, name: string): Promise<KnownNode | undefined> {
  const [node, spec] = await Promise.all([kv.get(nodeKey(name)), kv.get(specKey(name))]);
  if (node.kv === undefined && spec.kv === undefined) return undefined;
  return {
    name,
    live: node.kv === undefined ? undefined : parseStored(nodeSchema, node.kv),
    spec: spec.kv === undefined ? undefined : parseStored(nodeSpecSchema, spec.kv),
    liveRevision: node.kv?.modRevision ?? 0,
    specRevision: spec.kv?.modRevision ?? 0,
  };
}

/** All of them, by name. Malformed values are left out and logged. */
export async function listKnownNodes({ kv, log }: ApiContext): Promise<readonly KnownNode[]> {
  const [nodes, specs] = await Promise.all([kv.list(NODES_PREFIX), kv.list(SPECS_PREFIX)]);
  const byName = <T>(found: readonly { readonly kv: KeyValue; readonly value: T }[], prefix: string) =>
    new Map(found.map((entry) => [entry.kv.key.slice(prefix.length), entry]));
  const onMalformed = malformedTo(log);
  const live = byName(readable(nodeSchema, { kvs: nodes.kvs, onMalformed }), NODES_PREFIX);
  const kept = byName(readable(nodeSpecSchema, { kvs: specs.kvs, onMalformed }), SPECS_PREFIX);
  return [...new Set([...live.keys(), ...kept.keys()])].sort().map((name) => ({
    name,
    live: live.get(name)?.value,
    spec: kept.get(name)?.value,
    liveRevision: live.get(name)?.kv.modRevision ?? 0,
    specRevision: kept.get(name)?.kv.modRevision ?? 0,
  }));
}

export function readVolumes(context: ApiContext): Promise<readonly Volume[]> {
  return readAll(context, { prefix: VOLUMES_PREFIX, schema: volumeSchema });
}

/** What is reserved on each node. A volume on its way counts on both of its nodes. */
export function reservedByNode(volumes: readonly Volume[]): ReadonlyMap<string, Reserved> {
  const reserved = new Map<string, Reserved>();
  for (const { node, bytes } of volumes.flatMap(reservationsOf)) {
    const before = reserved.get(node) ?? NOTHING;
    reserved.set(node, { count: before.count + 1, bytes: before.bytes + bytes });
  }
  return reserved;
}

/** The spec wins over what the agent registered with. */
export function nodeViewOf(known: KnownNode, reserved: Reserved = NOTHING): NodeView {
  const { name, live, spec } = known;
  return {
    name,
    address: live?.address ?? null,
    labels: spec?.labels ?? live?.labels ?? {},
    capacity: spec?.capacity ?? live?.capacity ?? 0,
    available: live?.available ?? null,
    roles: live?.roles ?? [],
    agent: live?.agent ?? null,
    disk: live?.disk ?? null,
    remains: live?.remains ?? null,
    virtual: live?.virtual ?? null,
    started_at: live?.started_at ?? null,
    alive: live !== undefined,
    draining: spec?.draining ?? false,
    volumes: { count: reserved.count, reserved: reservedGib(reserved) },
  };
}

/** A change is about the spec, so its revision comes first; the answer depends on more. */
export function nodeEtag({ specRevision, liveRevision }: KnownNode, reserved: Reserved = NOTHING): string {
  return etagOf(specRevision, `${liveRevision}.${reserved.count}.${reserved.bytes}`);
}
