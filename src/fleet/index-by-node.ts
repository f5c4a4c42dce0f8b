// Which keys are about which node, so that each is told of its own alone.

import { DOUBTS_PREFIX, diskKey, NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX } from '../kv/keys.ts';
import type { KeyValue, WatchEvent } from '../kv/kv.ts';

const BY_NAME = [NODES_PREFIX, SPECS_PREFIX, diskKey('')];
const NOBODY: readonly string[] = [];

export interface Index {
  /** Keys that are about the node now. */
  keysOf(node: string): Iterable<string>;
  /** Questions between nodes, whomever they are about; there are hardly ever any. */
  readonly doubts: ReadonlySet<string>;
  /** Takes the event over; answers with the nodes that the key was about before it, or is about after it. `entries`: as before it. */
  apply(event: WatchEvent, entries: ReadonlyMap<string, KeyValue>): readonly string[];
  replace(kvs: readonly KeyValue[]): void;
}

export function createIndex(): Index {
  const keys = new Map<string, Set<string>>();
  const doubts = new Set<string>();
  const add = (key: string, nodes: readonly string[]): void => {
    if (key.startsWith(DOUBTS_PREFIX)) doubts.add(key);
    for (const node of nodes) {
      const set = keys.get(node);
      if (set === undefined) keys.set(node, new Set([key]));
      else set.add(key);
    }
  };
  const remove = (key: string, nodes: readonly string[]): void => {
    doubts.delete(key);
    for (const node of nodes) {
      const set = keys.get(node);
      set?.delete(key);
      if (set?.size === 0) keys.delete(node);
    }
  };
  return {
    keysOf: (node) => keys.get(node) ?? NOBODY,
    doubts,
    apply: (event, entries) => {
      const key = event.kind === 'put' ? event.kv.key : event.key;
      const before = entries.get(key);
      const old = before === undefined ? NOBODY : nodesIn(before);
      const now = event.kind === 'put' ? nodesIn(event.kv) : NOBODY;
      remove(key, old);
      if (event.kind === 'put') add(key, now);
      return old.length === 0 ? now : [...new Set([...old, ...now])];
    },
    replace: (kvs) => {
      keys.clear();
      doubts.clear();
      for (const kv of kvs) add(kv.key, nodesIn(kv));
    },
  };
}

/** The nodes that a key is about, by its name or by what its value says. */
export function nodesIn({ key, value }: Pick<KeyValue, 'key' | 'value'>): readonly string[] {
  const prefix = BY_NAME.find((candidate) => key.startsWith(candidate));
  if (prefix !== undefined) return [nameIn(prefix, key)];
  if (!key.startsWith(VOLUMES_PREFIX) && !key.startsWith(DOUBTS_PREFIX)) return NOBODY;
  let stored: Mentions | null;
  try {
    stored = JSON.parse(value) as Mentions | null;
  } catch {
    // Nobody's that can be told: whoever has it on its disk finds it by its id.
    return NOBODY;
  }
  const named = [stored?.node, stored?.control?.task?.node, stored?.from, stored?.to];
  return [...new Set(named.filter((name) => typeof name === 'string'))];
}

/** Of a volume, or of a question about one; nothing else of them is looked at here. */
interface Mentions {
  readonly node?: unknown;
  readonly control?: { readonly task?: { readonly node?: unknown } | null };
  readonly from?: unknown;
  readonly to?: unknown;
}
