// What the engine decides from: the cluster as of one revision, validated.

import type { Log } from '../../base/log.ts';
import { NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX, volumeKey } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type Node, type NodeSpec, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { readable } from '../../model/parse.ts';
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

/** A malformed value is left out: nothing is decided about it. It is logged once, however often it is read. */
export function createStateReader(log: Log): StateReader {
  /** Key to modification revision. */
  let known: ReadonlyMap<string, number> = new Map();
  return (entries) => {
    const malformed = new Map<string, number>();
    const state = readState(entries, ({ key, modRevision }, cause) => {
      malformed.set(key, modRevision);
      if (known.get(key) !== modRevision) log.error('stored.malformed', { key, cause });
    });
    known = malformed;
    return state;
  };
}

type OnMalformed = (kv: KeyValue, cause: unknown) => void;

function readState(entries: ReadonlyMap<string, KeyValue>, onMalformed: OnMalformed): ClusterState {
  const all = [...entries.values()];
  const volumes = readable(volumeSchema, { kvs: under(all, VOLUMES_PREFIX), onMalformed });
  const nodes = readable(nodeSchema, { kvs: under(all, NODES_PREFIX), onMalformed });
  const specs = readable(nodeSpecSchema, { kvs: under(all, SPECS_PREFIX), onMalformed });
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
