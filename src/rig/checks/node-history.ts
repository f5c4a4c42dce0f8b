// What nodes said of themselves while they were registered, replayed from etcd's events.

import { NODES_PREFIX, nameIn } from '../../kv/keys.ts';
import { type Node, nodeSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';
import { lastOfFirst } from './sorted.ts';

/** One event of a node's key. */
export interface NodeStep {
  readonly event: EtcdEvent;
  readonly name: string;
  readonly before: Node | undefined;
  /** Undefined once it isn't registered, and when nobody can read what it says. */
  readonly after: Node | undefined;
}

const replayed = new WeakMap<readonly EtcdEvent[], ReadonlyMap<string, readonly NodeStep[]>>();

/** Every event of each node, in order. */
export function nodeSteps(run: RecordedRun): ReadonlyMap<string, readonly NodeStep[]> {
  const known = replayed.get(run.etcd);
  if (known !== undefined) return known;
  const histories = new Map<string, NodeStep[]>();
  for (const event of run.etcd) {
    if (!event.key.startsWith(NODES_PREFIX)) continue;
    const name = nameIn(NODES_PREFIX, event.key);
    const history = histories.get(name) ?? [];
    const after =
      event.kind === 'delete'
        ? undefined
        : readable(() => parseStored(nodeSchema, { key: event.key, value: event.value ?? '' }));
    history.push({ event, name, before: history.at(-1)?.after, after });
    histories.set(name, history);
  }
  replayed.set(run.etcd, histories);
  return histories;
}

/** The node as of a revision; undefined while it isn't registered. */
export function nodeAt(run: RecordedRun, name: string, revision: number): Node | undefined {
  const history = nodeSteps(run).get(name) ?? [];
  return lastOfFirst(history, ({ event }) => event.revision <= revision)?.after;
}

/** Answers with the address of a node's NFS server as of a revision; undefined while it isn't registered. */
export const addressesAt =
  (run: RecordedRun) =>
  (node: string, revision: number): string | undefined =>
    nodeAt(run, node, revision)?.address;

function readable(read: () => Node): Node | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
