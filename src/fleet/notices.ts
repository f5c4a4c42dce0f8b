// Who is told of which event: nodes of what is about them, from a revision on that may have
// passed a moment ago.

import { RigError } from '../base/errors.ts';
import { revisionOf, type WatchEvent } from '../kv/kv.ts';

/** Events that are kept for those who have listed and are about to watch. */
const HISTORY_LENGTH = 20_000;

export interface Subscriber {
  readonly node: string;
  readonly push: (event: WatchEvent) => void;
  /** Nothing comes after it. */
  readonly fail: (error: RigError) => void;
}

export interface Notices {
  /** Tells the nodes, and remembers it for a while. */
  tell(event: WatchEvent, nodes: readonly string[]): void;
  /** Ends all subscriptions. */
  end(error: RigError): void;
  /** What was up to the revision is not remembered. */
  beginAfter(revision: number): void;
  /**
   * Begins with the revision, and ends with what is returned. Throws `compacted` for one that isn't remembered any
   * more.
   */
  subscribe(fromRevision: number, subscriber: Subscriber): () => void;
}

export function createNotices(): Notices {
  const subscribers = new Map<string, Set<Subscriber>>();
  let history: { readonly event: WatchEvent; readonly nodes: readonly string[] }[] = [];
  let forgottenRevision = 0;
  return {
    tell: (event, nodes) => {
      if (nodes.length === 0) return;
      history.push({ event, nodes });
      for (const node of nodes) for (const { push } of subscribers.get(node) ?? []) push(event);
      if (history.length < HISTORY_LENGTH) return;
      const gone = history.splice(0, HISTORY_LENGTH / 2).at(-1);
      if (gone !== undefined) forgottenRevision = revisionOf(gone.event);
    },
    end: (error) => {
      const ended = [...subscribers.values()].flatMap((set) => [...set]);
      subscribers.clear();
      for (const { fail } of ended) fail(error);
    },
    beginAfter: (revision) => {
      history = [];
      forgottenRevision = revision;
    },
    subscribe: (fromRevision, subscriber) => {
      if (fromRevision <= forgottenRevision) {
        throw new RigError('compacted', `revision ${fromRevision} is not remembered any more`);
      }
      for (const { event, nodes } of history) {
        if (revisionOf(event) >= fromRevision && nodes.includes(subscriber.node)) subscriber.push(event);
      }
      const set = subscribers.get(subscriber.node) ?? new Set();
      subscribers.set(subscriber.node, set.add(subscriber));
      return () => {
        set.delete(subscriber);
        if (set.size === 0 && subscribers.get(subscriber.node) === set) subscribers.delete(subscriber.node);
      };
    },
  };
}
