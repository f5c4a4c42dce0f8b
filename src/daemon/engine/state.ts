// What the engine decides from: the cluster as of one revision, validated.

import type { z } from 'zod';
import type { Log } from '../../base/log.ts';
import { NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type Node, type NodeSpec, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';

export interface ClusterState {
  /** Oldest first: who came first is served first. */
  readonly volumes: readonly Volume[];
  /** Live nodes. */
  readonly nodes: readonly Node[];
  /** By name; of nodes that are away, too. */
  readonly specs: ReadonlyMap<string, NodeSpec>;
}

/** A malformed value is logged and left out: nothing is decided about it. */
export function readState(entries: ReadonlyMap<string, KeyValue>, log: Log): ClusterState {
  const all = [...entries.values()];
  const volumes = readable(volumeSchema, { kvs: under(all, VOLUMES_PREFIX), log });
  const nodes = readable(nodeSchema, { kvs: under(all, NODES_PREFIX), log });
  const specs = readable(nodeSpecSchema, { kvs: under(all, SPECS_PREFIX), log });
  return {
    volumes: volumes
      .sort((a, b) => a.kv.createRevision - b.kv.createRevision || (a.kv.key < b.kv.key ? -1 : 1))
      // A value under another volume's key would make writes go astray.
      .filter(({ kv, value }) => kv.key === volumeKey(value.id))
      .map(({ value }) => value),
    nodes: nodes
      .filter(({ kv, value }) => nameIn(NODES_PREFIX, kv.key) === value.name)
      .map(({ value }) => value),
    specs: new Map(specs.map(({ kv, value }) => [nameIn(SPECS_PREFIX, kv.key), value])),
  };
}

function under(kvs: readonly KeyValue[], prefix: string): readonly KeyValue[] {
  return kvs.filter(({ key }) => key.startsWith(prefix));
}

function readable<Schema extends z.ZodType>(
  schema: Schema,
  { kvs, log }: { readonly kvs: readonly KeyValue[]; readonly log: Log },
): { readonly kv: KeyValue; readonly value: z.output<Schema> }[] {
  return kvs.flatMap((kv) => {
    try {
      return [{ kv, value: parseStored(schema, kv) }];
    } catch (error) {
      log.error('stored.malformed', { key: kv.key, cause: error });
      return [];
    }
  });
}
