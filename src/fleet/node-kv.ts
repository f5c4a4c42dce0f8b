// etcd as one node of a fleet sees it. Reads and watches come from the copy that all
// share (shared-store.ts), with nothing in them but what the node's agent can have
// anything to do with; leases and transactions go to etcd itself.

import { abortError } from '../base/clock.ts';
import type { RigError } from '../base/errors.ts';
import { CLUSTER_KEY, DOUBTS_PREFIX, doubtKey, nameIn, VERSION_KEY, volumeKey } from '../kv/keys.ts';
import type { KeyValue, Kv, WatchBatch, WatchEvent, WatchOptions } from '../kv/kv.ts';
import type { SharedStore } from './shared-store.ts';

/** What the node has on its disk and exports, by the volumes' ids. */
export interface Holdings {
  readonly ids: () => Iterable<string>;
  /** It has copies, which moves leave: what becomes of them depends on other nodes. */
  readonly hasCopies: () => boolean;
}

export interface NodeKvOptions {
  readonly store: SharedStore;
  /** For all but reads and watches. */
  readonly kv: Pick<Kv, 'transact' | 'grantLease' | 'keepLeaseAlive' | 'revokeLease' | 'listLeases'>;
  readonly node: string;
  readonly holdings: Holdings;
}

/** Lists are of the whole prefix: pages and earlier revisions are for others. */
export function createNodeKv({ store, kv, node, holdings }: NodeKvOptions): Kv {
  const subscriptions = new Set<() => void>();
  const header = () => ({ clusterId: store.clusterId, revision: store.revision });
  return {
    transact: kv.transact,
    grantLease: kv.grantLease,
    keepLeaseAlive: kv.keepLeaseAlive,
    revokeLease: kv.revokeLease,
    listLeases: kv.listLeases,
    get: async (key) => {
      await store.fresh();
      return { ...header(), kv: store.entries.get(key) };
    },
    list: async (prefix) => {
      await store.fresh();
      const found = holdings.hasCopies() ? store.entries.values() : concerning(store, node, holdings);
      const kvs = [...found].filter(({ key }) => key.startsWith(prefix));
      return { ...header(), kvs: kvs.sort((a, b) => (a.key < b.key ? -1 : 1)), more: false };
    },
    watch: (options) => watchShared({ store, node, subscriptions }, options),
    // Whoever watches is told nothing more, not even this.
    close: async () => {
      for (const end of subscriptions) end();
      subscriptions.clear();
    },
  };
}

function concerning(store: SharedStore, node: string, holdings: Holdings): Iterable<KeyValue> {
  const keys = new Set([VERSION_KEY, CLUSTER_KEY, ...store.index.keysOf(node), ...store.index.doubts]);
  for (const doubt of store.index.doubts) keys.add(volumeKey(nameIn(DOUBTS_PREFIX, doubt)));
  for (const id of holdings.ids()) keys.add(volumeKey(id)).add(doubtKey(id));
  return [...keys].flatMap((key) => store.entries.get(key) ?? []);
}

async function* watchShared(
  {
    store,
    node,
    subscriptions,
  }: { readonly store: SharedStore; readonly node: string; readonly subscriptions: Set<() => void> },
  { prefix, fromRevision, signal }: WatchOptions,
): AsyncGenerator<WatchBatch> {
  if (signal.aborted) throw abortError(signal);
  let inbox: WatchEvent[] = [];
  let failure: RigError | undefined;
  let wake: () => void = () => undefined;
  const push = (event: WatchEvent): void => {
    if (!(event.kind === 'put' ? event.kv.key : event.key).startsWith(prefix)) return;
    inbox.push(event);
    wake();
  };
  const fail = (error: RigError): void => {
    failure = error;
    wake();
  };
  const end = store.subscribe(fromRevision, { node, push, fail });
  subscriptions.add(end);
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  const { clusterId } = store;
  try {
    yield { clusterId, revision: fromRevision - 1, events: [] };
    for (;;) {
      if (signal.aborted) throw abortError(signal);
      if (inbox.length > 0) {
        const events = inbox;
        inbox = [];
        // Whole revisions: the events of one are pushed without a pause.
        yield { clusterId, revision: store.revision, events };
      } else if (failure !== undefined) {
        throw failure;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    subscriptions.delete(end);
    end();
  }
}
