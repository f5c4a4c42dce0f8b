// A live copy of everything under a prefix, for code that decides from the
// whole and not from single events.

import { type FollowOptions, followPrefix, type SnapshotReason } from './follow.ts';
import type { KeyValue, WatchEvent } from './kv.ts';

/** A mirror. It may lag behind the store; a transaction's compares must guard what is decided from it. */
export interface View {
  readonly entries: ReadonlyMap<string, KeyValue>;
  /** The revision that the entries are as of; 0 before the first snapshot. */
  readonly revision: number;
  readonly clusterId: string | undefined;
  /** False before the first snapshot and while the store is out of reach: entries may then be old. */
  readonly synced: boolean;
}

/** What made the view change; `events` are of whole revisions, in order. */
export type ViewChange =
  | { readonly kind: 'snapshot'; readonly reason: SnapshotReason }
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[] };

export interface ViewOptions extends Omit<FollowOptions, 'onSnapshot' | 'onBatch' | 'afterLoss'> {
  /** After each snapshot or batch; when synced returns, with a snapshot. Awaited before the next one. */
  readonly onChange?: (view: View, change: ViewChange) => void | Promise<void>;
}

/**
 * Starts mirroring a prefix at once. `done` settles as {@link followPrefix}
 * does, and the caller must wait for it: it carries the errors of `onChange`.
 */
export function createView(options: ViewOptions): { readonly view: View; readonly done: Promise<void> } {
  const entries = new Map<string, KeyValue>();
  const view = { entries, revision: 0, clusterId: undefined as string | undefined, synced: false };
  const done = followPrefix({
    ...options,
    afterLoss: 'list',
    onSnapshot: async ({ kvs, clusterId, revision, reason }) => {
      entries.clear();
      for (const kv of kvs) entries.set(kv.key, kv);
      Object.assign(view, { clusterId, revision, synced: true });
      await options.onChange?.(view, { kind: 'snapshot', reason });
    },
    onBatch: async ({ events, revision }) => {
      for (const event of events) {
        if (event.kind === 'put') entries.set(event.kv.key, event.kv);
        else entries.delete(event.key);
      }
      const news = events.length > 0 || !view.synced;
      Object.assign(view, { revision, synced: true });
      if (news) await options.onChange?.(view, { kind: 'events', events });
    },
    onDisconnect: (cause) => {
      view.synced = false;
      options.onDisconnect?.(cause);
    },
  });
  return { view, done };
}
