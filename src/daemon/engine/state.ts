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

export type StateReader = (entries: ReadonlyMap<string, KeyValue>) => ClusterState;

/**
 * A malformed value is left out: nothing is decided about it. It is logged once, however often it is read.
 * What was read stays read until the key changes: to validate ten thousand volumes anew takes longer than to plan.
 */
export function createStateReader(log: Log): StateReader {
  const volumes = createReader<Volume>(volumeSchema, log);
  const nodes = createReader<Node>(nodeSchema, log);
  const specs = createReader<NodeSpec>(nodeSpecSchema, log);
  return (entries) => {
    const all = grouped(entries);
    return {
      volumes: volumes(all.volumes)
        .sort((a, b) => a.kv.createRevision - b.kv.createRevision || (a.kv.key < b.kv.key ? -1 : 1))
        // A value under another volume's key would make writes go astray.
        .filter(({ kv, value }) => kv.key === volumeKey(value.id))
        .map(({ value }) => value),
      nodes: nodes(all.nodes)
        .filter(({ kv, value }) => nameIn(NODES_PREFIX, kv.key) === value.name)
        .map(({ value }) => value),
      specs: new Map(specs(all.specs).map(({ kv, value }) => [nameIn(SPECS_PREFIX, kv.key), value])),
    };
  };
}

interface Read<T> {
  readonly kv: KeyValue;
  readonly value: T;
}

/** Reads what it has not read before; remembers for as long as it is asked. */
function createReader<T>(schema: z.ZodType<T>, log: Log): (kvs: readonly KeyValue[]) => Read<T>[] {
  /** By key; the value is null for what is malformed. Kept up in place: one of thousands has changed. */
  const known = new Map<string, Read<T | null>>();
  const read = (kv: KeyValue): T | null => {
    try {
      return parseStored(schema, kv);
    } catch (cause) {
      log.error('stored.malformed', { key: kv.key, cause });
      return null;
    }
  };
  const readOnce = (kv: KeyValue): Read<T | null> => {
    const before = known.get(kv.key);
    if (before?.kv === kv) return before;
    // The value too: a store that was wiped counts its revisions anew.
    const isSame = before?.kv.modRevision === kv.modRevision && before.kv.value === kv.value;
    const now = { kv, value: isSame ? before.value : read(kv) };
    known.set(kv.key, now);
    return now;
  };
  return (kvs) => {
    const found = kvs.map(readOnce);
    if (known.size > kvs.length) {
      const there = new Set(kvs.map(({ key }) => key));
      for (const key of known.keys()) if (!there.has(key)) known.delete(key);
    }
    return found.filter(isReadable);
  };
}

const isReadable = <T>(read: Read<T | null>): read is Read<T> => read.value !== null;

/** In one pass: it is done before every plan. */
function grouped(entries: ReadonlyMap<string, KeyValue>) {
  const volumes: KeyValue[] = [];
  const nodes: KeyValue[] = [];
  const specs: KeyValue[] = [];
  for (const kv of entries.values()) {
    if (kv.key.startsWith(VOLUMES_PREFIX)) volumes.push(kv);
    else if (kv.key.startsWith(NODES_PREFIX)) nodes.push(kv);
    else if (kv.key.startsWith(SPECS_PREFIX)) specs.push(kv);
  }
  return { volumes, nodes, specs };
}
